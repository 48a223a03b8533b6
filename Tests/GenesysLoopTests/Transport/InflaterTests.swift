import Testing

@testable import GenesysLoop

extension Deflater {
    /// The compressed payload of a message, which must not be sent uncompressed.
    mutating func compressed(_ message: [UInt8]) throws -> [UInt8] {
        let payload = deflate(message.span)
        return try #require(payload)
    }
}

@Suite struct InflaterTests {
    static func text(_ seed: UInt64, _ count: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        let words = ["topicName", "eventBody", "v2.users.", "presence", "\u{F6}\u{20AC}", "{\"id\":", "0123456789"]
        var text: [UInt8] = []
        while text.count < count { text += Array(words.randomElement(using: &generator)!.utf8) }
        return Array(text.prefix(count))
    }

    static func noise(_ seed: UInt64, _ count: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// Decompresses one message given in pieces of at most `size`.
    static func inflate(
        _ payload: [UInt8], with inflater: inout Inflater, size: Int = .max, limit: Int = 1 << 24
    ) throws(WebSocketViolation) -> [UInt8] {
        var message: [UInt8] = []
        var start = 0
        repeat {
            let end = payload.count - start > size ? start + size : payload.count
            let piece = Array(payload[start..<end])
            try inflater.inflate(piece.span, isLast: end == payload.count, into: &message, limit: limit)
            start = end
        } while start < payload.count
        return message
    }

    static func inflateOne(
        _ payload: [UInt8], bits: Int = 15, limit: Int = 1 << 24
    ) throws(WebSocketViolation) -> [UInt8] {
        var inflater = Inflater(windowBits: bits, keepsContext: true)
        return try inflate(payload, with: &inflater, limit: limit)
    }

    // MARK: - RFC 7692 §7.2.3

    static let hello = Array("Hello".utf8)

    @Test(arguments: [1, 2, 100]) func `the examples of the RFC are all Hello`(size: Int) throws {
        var inflater = Inflater(windowBits: 15, keepsContext: true)
        let examples: [[UInt8]] = [
            [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00],
            // The same message again, by reference to the window.
            [0xF2, 0x00, 0x11, 0x00, 0x00],
            // A block without compression.
            [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00],
            // A final block and the byte after it.
            [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00],
            // The window survives it.
            [0xF2, 0x00, 0x11, 0x00, 0x00],
            // A final block and nothing after it.
            [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00],
            // Two blocks.
            [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00],
        ]
        for example in examples {
            let message = try InflaterTests.inflate(example, with: &inflater, size: size)
            #expect(message == Self.hello)
        }
        let empty = try InflaterTests.inflate([0x00], with: &inflater)
        #expect(empty.isEmpty)
    }

    // MARK: - There and back

    static let combinations = (8...15).flatMap { bits in [false, true].map { (bits, $0) } }

    @Test(arguments: combinations)
    func `what is compressed comes back`(bits: Int, keepsContext: Bool) throws {
        var deflater = Deflater(windowBits: bits, keepsContext: keepsContext)
        var inflater = Inflater(windowBits: bits, keepsContext: keepsContext)
        var compressedByteCount = 0
        for (index, count) in [0, 1, 64, 400, 400, 5_000, 100_000, 70, 400].enumerated() {
            for message in [Self.text(UInt64(index / 2), count), Self.noise(UInt64(index), count)] {
                let result = deflater.deflate(message.span)
                guard let payload = result else {
                    #expect(!keepsContext || message.isEmpty, "a message that is left out would tear the windows apart")
                    continue
                }
                compressedByteCount += payload.count
                let back = try Self.inflate(payload, with: &inflater, size: index == 5 ? 1 : 4_096)
                #expect(back == message)
                inflater.releaseIdleState()
                deflater.releaseIdleState()
                let isHeld = (inflater.holdsState, deflater.holdsState)
                #expect(isHeld == (keepsContext, keepsContext), "memory is kept only with the window")
            }
        }
        #expect(compressedByteCount > 0)
    }

    @Test func `the window carries over only where it is kept`() throws {
        let message = Self.noise(1, 1_000)
        var keeping = Deflater(windowBits: 15, keepsContext: true)
        let first = try keeping.compressed(message)
        let second = try keeping.compressed(message)
        #expect(second.count < 50 && first.count > 900)
        var forgetful = Inflater(windowBits: 15, keepsContext: false)
        let back = try Self.inflate(first, with: &forgetful)
        #expect(back == message)
        var violation: WebSocketViolation?
        do throws(WebSocketViolation) {
            _ = try Self.inflate(second, with: &forgetful)
        } catch { violation = error }
        #expect(violation == .invalidCompressedData)
    }

    @Test func `a sender with a larger window than agreed is found out`() throws {
        var large = Deflater(windowBits: 15, keepsContext: true)
        let message = Self.noise(2, 3_000) + Self.noise(2, 3_000)
        let payload = try large.compressed(message)
        #expect(try Self.inflateOne(payload, bits: 12) == message)
        #expect(throws: WebSocketViolation.invalidCompressedData) { try Self.inflateOne(payload, bits: 9) }
    }

    // MARK: - Limits and lies

    @Test func `a bomb stops at the limit`() throws {
        var deflater = Deflater(windowBits: 15, keepsContext: false)
        let bomb = try deflater.compressed([UInt8](repeating: 0, count: 1 << 24))
        #expect(bomb.count < 17_000)
        var inflater = Inflater(windowBits: 15, keepsContext: false)
        var message: [UInt8] = []
        var violation: WebSocketViolation?
        do throws(WebSocketViolation) {
            try inflater.inflate(bomb.span, isLast: true, into: &message, limit: 1_000_000)
        } catch { violation = error }
        #expect(violation == .messageTooLarge)
        #expect(message.count == 1_000_001)
        #expect(message.capacity < 3_000_000)
    }

    @Test(arguments: [1, 2, 1_023, 1_024, 1_025, 100_000])
    func `the limit is the greatest message`(count: Int) throws {
        var deflater = Deflater(windowBits: 15, keepsContext: true)
        let message = Self.text(3, count)
        let payload = try deflater.compressed(message)
        #expect(try Self.inflateOne(payload, limit: count) == message)
        #expect(throws: WebSocketViolation.messageTooLarge) { try Self.inflateOne(payload, limit: count - 1) }
    }

    @Test func `a message cut off at any byte is invalid`() throws {
        var deflater = Deflater(windowBits: 15, keepsContext: true)
        let payload = try deflater.compressed(Self.text(4, 300))
        for count in 0..<payload.count {
            #expect(throws: WebSocketViolation.invalidCompressedData) { try Self.inflateOne(Array(payload[..<count])) }
        }
    }

    @Test func `bytes that are no compressed data are invalid, and never a trap`() {
        var invalid = 0
        for seed in 0..<2_000 {
            let bytes = Self.noise(UInt64(seed), 1 + seed % 40)
            do throws(WebSocketViolation) {
                _ = try Self.inflateOne(bytes, limit: 10_000)
            } catch { invalid += 1 }
        }
        #expect(invalid > 1_500)
    }
}
