/// A second implementation of RFC 1951, bit by bit, for the messages of one connection (RFC 7692 §7.2.2).
struct ReferenceInflate {
    enum Violation: Error {
        /// Invalid DEFLATE, or the end is missing.
        case invalid
        case tooLarge
    }

    private struct OutOfBits: Error {}

    private let windowByteCount: Int
    private let keepsContext: Bool
    /// A reference went beyond the agreed window.
    private(set) var isOverrun = false
    /// All output so far of messages whose window is kept.
    private var history: [UInt8] = []
    private var output: [UInt8] = []
    private var limit = 0
    private var bytes: [UInt8] = []
    /// The next bit.
    private var position = 0

    init(windowBits: Int, keepsContext: Bool) {
        windowByteCount = 1 << windowBits
        self.keepsContext = keepsContext
    }

    /// The output of the payload of a whole message, up to its violation if it has one.
    mutating func message(_ payload: [UInt8], limit: Int) -> (output: [UInt8], violation: Violation?) {
        bytes = Array(bytes.dropFirst(position / 8)) + payload
        position %= 8
        output = []
        self.limit = limit
        var violation: Violation?
        do {
            if try !endsWithFinalBlock(hasTail: false) {
                bytes += [0, 0, 0xFF, 0xFF]
                // It may end with a final block, too.
                _ = try endsWithFinalBlock(hasTail: true)
                guard bytes.count * 8 - position < 3 else { throw Violation.invalid }
            }
        } catch {
            violation = error as? Violation ?? .invalid
        }
        if keepsContext {
            history += output
        } else {
            (bytes, position) = ([], 0)
        }
        return (output, violation)
    }

    /// Reads blocks until there are no bits for another one.
    private mutating func endsWithFinalBlock(hasTail: Bool) throws -> Bool {
        while bytes.count * 8 - position >= 3 {
            let start = (position, output.count)
            do {
                let isFinal = try bits(1) == 1
                try block()
                guard isFinal else { continue }
                // The data after a final block begins at a byte boundary.
                position = (position + 7) / 8 * 8
                if position == bytes.count * 8 { return true }
            } catch is OutOfBits {
                // With the tail there may be enough bits: start again.
                if hasTail { throw Violation.invalid }
                position = start.0
                output.removeLast(output.count - start.1)
                return false
            }
        }
        return false
    }

    private mutating func bits(_ count: Int) throws -> Int {
        guard position + count <= bytes.count * 8 else { throw OutOfBits() }
        var value = 0
        for index in 0..<count {
            value |= Int(bytes[position / 8] >> UInt8(position % 8) & 1) << index
            position += 1
        }
        return value
    }

    private mutating func put(_ byte: UInt8) throws {
        output.append(byte)
        if output.count > limit { throw Violation.tooLarge }
    }

    private mutating func block() throws {
        switch try bits(2) {
        case 0: try stored()
        case 1:
            let lengths = (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 }
            try codes(Huffman(lengths), Huffman([Int](repeating: 5, count: 32)))
        case 2: try dynamic()
        default: throw Violation.invalid
        }
    }

    private mutating func stored() throws {
        position = (position + 7) / 8 * 8
        let count = try bits(16)
        guard try bits(16) == ~count & 0xFFFF else { throw Violation.invalid }
        for _ in 0..<count { try put(UInt8(bits(8))) }
    }

    private mutating func dynamic() throws {
        let literalCount = try bits(5) + 257
        let distanceCount = try bits(5) + 1
        let codeCount = try bits(4) + 4
        if literalCount > 286 || distanceCount > 30 { throw Violation.invalid }
        var lengths = [Int](repeating: 0, count: 19)
        let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
        for index in 0..<codeCount { lengths[order[index]] = try bits(3) }
        let lengthCode = try Huffman(lengths, mustBeComplete: true)
        lengths = []
        while lengths.count < literalCount + distanceCount {
            switch try symbol(lengthCode) {
            case 16:
                guard let last = lengths.last else { throw Violation.invalid }
                lengths += [Int](repeating: last, count: 3 + (try bits(2)))
            case 17: lengths += [Int](repeating: 0, count: 3 + (try bits(3)))
            case 18: lengths += [Int](repeating: 0, count: 11 + (try bits(7)))
            case let length: lengths.append(length)
            }
        }
        guard lengths.count == literalCount + distanceCount, lengths[256] > 0 else { throw Violation.invalid }
        let literals = try Huffman(Array(lengths[..<literalCount]), isLiteral: true)
        let distances = try Huffman(Array(lengths[literalCount...]))
        try codes(literals, distances)
    }

    private mutating func codes(_ literals: Huffman, _ distances: Huffman) throws {
        while true {
            let symbol = try symbol(literals)
            if symbol == 256 { return }
            if symbol < 256 {
                try put(UInt8(symbol))
                continue
            }
            guard symbol < 286 else { throw Violation.invalid }
            let lengthBits = symbol < 265 || symbol == 285 ? 0 : (symbol - 261) / 4
            let lengthBase =
                symbol < 265 ? symbol - 254 : symbol == 285 ? 258 : (4 + (symbol - 265) % 4) << lengthBits + 3
            let length = lengthBase + (try bits(lengthBits))
            let code = try self.symbol(distances)
            guard code < 30 else { throw Violation.invalid }
            let distanceBits = code < 4 ? 0 : code / 2 - 1
            let distance = (code < 4 ? code : (2 + code % 2) << distanceBits) + 1 + (try bits(distanceBits))
            for _ in 0..<length { try copy(distance) }
        }
    }

    private mutating func copy(_ distance: Int) throws {
        if distance > windowByteCount { isOverrun = true }
        if distance <= output.count { return try put(output[output.count - distance]) }
        let index = history.count + output.count - distance
        guard index >= 0, distance <= 32_768 else { throw Violation.invalid }
        try put(history[index])
    }

    private mutating func symbol(_ code: Huffman) throws -> Int {
        var word = 0
        for length in 1...15 {
            word = word << 1 | (try bits(1))
            if let symbol = code.symbols[length << 16 | word] { return symbol }
        }
        throw Violation.invalid
    }

    /// RFC 1951 §3.2.2.
    private struct Huffman {
        /// By length and code.
        private(set) var symbols: [Int: Int] = [:]

        init(_ lengths: [Int], mustBeComplete: Bool = false, isLiteral: Bool = false) throws {
            var code = 0
            var room = 1
            for length in 1...15 {
                code <<= 1
                room <<= 1
                for (symbol, other) in lengths.enumerated() where other == length {
                    symbols[length << 16 | code] = symbol
                    code += 1
                    room -= 1
                }
                if room < 0 { throw Violation.invalid }
            }
            // zlib accepts an incomplete code only if it is one code of one bit, or has no distances at all.
            let isSingle = symbols.count == 1 && lengths.max() == 1
            if room > 0, mustBeComplete || !(isSingle || (symbols.isEmpty && !isLiteral)) { throw Violation.invalid }
        }
    }
}
