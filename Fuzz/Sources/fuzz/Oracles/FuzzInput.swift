/// The fuzzer's bytes, consumed from the front; after the end all are zero.
struct FuzzInput {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var isExhausted: Bool { position >= bytes.count }

    mutating func byte() -> UInt8 {
        guard position < bytes.count else { return 0 }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func word() -> Int { Int(byte()) << 8 | Int(byte()) }

    mutating func flag() -> Bool { byte() & 1 == 1 }

    /// A number from zero up to, but not including, `bound`.
    mutating func number(below bound: Int) -> Int {
        bound <= 1 ? 0 : bound <= 256 ? Int(byte()) % bound : word() % bound
    }

    mutating func element<T>(of choices: [T]) -> T { choices[number(below: choices.count)] }

    /// At most `count` bytes.
    mutating func bytes(_ count: Int) -> [UInt8] {
        let end = min(bytes.count, position + count)
        defer { position = end }
        return Array(bytes[position..<end])
    }

    mutating func rest() -> [UInt8] { bytes(bytes.count - position) }
}
