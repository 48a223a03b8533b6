import GenesysLoop

/// The ways of cutting a stream before it is fed: the result must not depend on them.
struct Pieces {
    let name: String
    let ranges: [Range<Int>]

    /// Whole, byte by byte, and in pieces derived from the stream itself.
    static func all(of stream: [UInt8]) -> [Pieces] {
        [
            Pieces(name: "whole", ranges: [0..<stream.count]),
            Pieces(name: "byte by byte", ranges: stream.indices.map { $0..<($0 + 1) }),
            random(stream, most: 7), random(stream, most: 300),
        ]
    }

    private static func random(_ stream: [UInt8], most: Int) -> Pieces {
        let seed = stream.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        var random = SplitMix64(seed: seed)
        var ranges: [Range<Int>] = []
        var start = 0
        while start < stream.count {
            // Sometimes an empty piece: a read may return nothing.
            let end = min(stream.count, start + Int.random(in: 0...most, using: &random))
            ranges.append(start..<end)
            start = end
        }
        return Pieces(name: "pieces up to \(most)", ranges: ranges)
    }
}

extension Span where Element == UInt8 {
    /// A copy.
    func copied(_ range: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        for index in range { bytes.append(self[index]) }
        return bytes
    }
}

extension String {
    /// The bytes as truncated text, for a complaint.
    init(excerpt bytes: some Collection<UInt8>) {
        self = String(reflecting: String(decoding: bytes.prefix(200), as: UTF8.self))
    }
}
