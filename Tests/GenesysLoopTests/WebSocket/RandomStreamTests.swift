import Testing

@testable import GenesysLoop

@Suite struct RandomStreamTests {
    /// A legal stream of random messages, fragments and control frames, with the expected events.
    private static func stream(
        role: WebSocketRole, using generator: inout SeededGenerator
    ) -> (bytes: [UInt8], events: [OwnedEvent]) {
        var bytes: [UInt8] = []
        var events: [OwnedEvent] = []
        func key() -> UInt32? { role == .server ? UInt32.random(in: 0...UInt32.max, using: &generator) : nil }
        func control() {
            let payload = (0..<Int.random(in: 0...125, using: &generator)).map { UInt8($0) }
            let isPing = Bool.random(using: &generator)
            FrameEncoder.append(isPing ? .ping : .pong, payload: payload, maskingKey: key(), to: &bytes)
            events.append(isPing ? .ping(payload) : .pong(payload))
        }
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            let isText = Bool.random(using: &generator)
            let payload = isText ? text(&generator) : data(&generator)
            var cuts = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                Int.random(in: 0...payload.count, using: &generator)
            }
            cuts.sort()
            var start = 0
            for (index, cut) in (cuts + [payload.count]).enumerated() {
                FrameEncoder.append(
                    index > 0 ? .continuation : isText ? .text : .binary, isFinal: index == cuts.count,
                    payload: Array(payload[start..<cut]), maskingKey: key(), to: &bytes)
                start = cut
                if index < cuts.count, Int.random(in: 0..<3, using: &generator) == 0 { control() }
            }
            events.append(.message(isText ? .text : .binary, payload))
        }
        if Bool.random(using: &generator) {
            FrameEncoder.appendClose(.goingAway, reason: "für heute", maskingKey: key(), to: &bytes)
            events.append(.close(.goingAway, "für heute"))
        }
        return (bytes, events)
    }

    private static func text(_ generator: inout SeededGenerator) -> [UInt8] {
        let characters = ["a", "plain ASCII text ", "é", "語", "🎉", "\u{7FF}", "\u{800}", "\u{FFFF}", "\u{10FFFF}"]
        let count = Int.random(in: 0...60, using: &generator)
        return utf8((0..<count).map { _ in characters.randomElement(using: &generator) ?? "" }.joined())
    }

    private static func data(_ generator: inout SeededGenerator) -> [UInt8] {
        let count = [0, 1, 125, 126, 300, 65_535, 65_536, 70_000].randomElement(using: &generator) ?? 0
        let first = UInt8.random(in: 0...255, using: &generator)
        return (0..<count).map { first &+ UInt8(truncatingIfNeeded: $0) }
    }

    @Test(arguments: 0..<60) func `a legal stream gives the same events in random pieces`(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let role: WebSocketRole = seed.isMultiple(of: 2) ? .client : .server
        let (bytes, events) = Self.stream(role: role, using: &generator)
        #expect(DecoderHarness.events(bytes, role: role) == events)
        for largest in [3, 50, 2_000, 40_000] where bytes.count / largest < 5_000 {
            var cuts = [0]
            while let last = cuts.last, last < bytes.count {
                cuts.append(min(bytes.count, last + Int.random(in: 1...largest, using: &generator)))
            }
            #expect(DecoderHarness.events(bytes, cuts: cuts, role: role) == events, "pieces up to \(largest)")
        }
    }

    @Test(arguments: 0..<200) func `a damaged stream gives the same events in random pieces`(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed) &+ 1_000)
        let role: WebSocketRole = seed.isMultiple(of: 2) ? .client : .server
        let limits = MessageLimits(maxMessageByteCount: 4_000, maxFrameCount: 4)
        var bytes = Array(Self.stream(role: role, using: &generator).bytes.prefix(3_000))
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            bytes[index] = UInt8.random(in: 0...255, using: &generator)
        }
        let whole = DecoderHarness.events(bytes, role: role, limits: limits)
        let cuts = (0..<8).map { _ in Int.random(in: 0...bytes.count, using: &generator) }.sorted()
        #expect(DecoderHarness.events(bytes, cuts: cuts, role: role, limits: limits) == whole)
        let everyByte = Array(1..<max(1, bytes.count))
        #expect(DecoderHarness.events(bytes, cuts: everyByte, role: role, limits: limits) == whole)
    }
}
