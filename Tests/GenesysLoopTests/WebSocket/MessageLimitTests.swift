import Testing

@testable import GenesysLoop

/// What a peer may make the decoder hold, at the limit and one beyond.
@Suite struct MessageLimitTests {
    @Test func `a message at the limit passes and one byte more does not`() {
        let limits = MessageLimits(maxMessageByteCount: 10)
        let ten = [UInt8](repeating: 1, count: 10)
        #expect(
            DecoderHarness.eventsOfEveryCut(frame(0x82, ten), limits: limits) == [.message(.binary, ten)])
        #expect(
            DecoderHarness.eventsOfEveryCut(frame(0x82, ten + [1]), limits: limits) == [.violation(.messageTooLarge)])
        // The sum of the fragments, at the header of the one that exceeds the limit.
        let fragments = frame(0x02, [1, 1, 1, 1]) + frame(0x00, [1, 1, 1, 1])
        #expect(
            DecoderHarness.eventsOfEveryCut(fragments + [0x80, 0x03], limits: limits)
                == [.violation(.messageTooLarge)])
        #expect(
            DecoderHarness.eventsOfEveryCut(fragments + frame(0x80, [1, 1]), limits: limits)
                == [.message(.binary, ten)])
        // The limit is per message.
        #expect(DecoderHarness.eventsOfEveryCut(frame(0x82, ten) + frame(0x82, ten), limits: limits).count == 2)
    }

    @Test func `a message of more frames than the limit is refused, control frames not counted`() {
        let limits = MessageLimits(maxFrameCount: 3)
        let pings = frame(0x89, []) + frame(0x89, [])
        let begin = frame(0x02, []) + pings + frame(0x00, [])
        #expect(
            DecoderHarness.eventsOfEveryCut(begin + frame(0x80, []), limits: limits)
                == [.ping([]), .ping([]), .message(.binary, [])])
        #expect(
            DecoderHarness.eventsOfEveryCut(begin + frame(0x00, []) + frame(0x80, []), limits: limits)
                == [.ping([]), .ping([]), .violation(.tooManyFrames)])
    }

    @Test func `control frames between fragments count for nothing`() {
        let limits = MessageLimits(maxMessageByteCount: 10, maxFrameCount: 2)
        let longest = [UInt8](repeating: 7, count: 125)
        let control = frame(0x89, longest) + frame(0x8A, longest)
        let halves = [frame(0x02, [1, 1, 1, 1, 1]), frame(0x80, [1, 1, 1, 1, 1])]
        let message = OwnedEvent.message(.binary, [UInt8](repeating: 1, count: 10))
        #expect(
            DecoderHarness.eventsOfEveryCut(halves[0] + control + control + halves[1], limits: limits)
                == [.ping(longest), .pong(longest), .ping(longest), .pong(longest), message])
    }

    @Test(arguments: [WebSocketRole.client, .server])
    func `a declared length is judged before a byte of the payload is there`(role: WebSocketRole) {
        let key: UInt32? = role == .server ? 0x0102_0304 : nil
        for limit in [0, 1, 124, 125, 126, 127, 65_534, 65_535, 65_536, 65_537, 1 << 24] {
            let limits = MessageLimits(maxMessageByteCount: limit)
            for (length, isLegal) in [(limit, true), (limit + 1, false)] {
                let headerByteCount = (length < 126 ? 2 : length < 65_536 ? 4 : 10) + (key == nil ? 0 : 4)
                let header = Array(frame(0x82, [UInt8](repeating: 0, count: length), key: key)[..<headerByteCount])
                let expected: [OwnedEvent] =
                    isLegal ? length == 0 ? [.message(.binary, [])] : [] : [.violation(.messageTooLarge)]
                #expect(DecoderHarness.eventsOfEveryCut(header, role: role, limits: limits) == expected, "\(length)")
            }
        }
    }

    @Test func `without a limit a length of 2^63 - 1 is waited for, and nothing is reserved for it`() {
        var harness = DecoderHarness(limits: MessageLimits(maxMessageByteCount: .max))
        harness.feed([0x82, 0x7F, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3])
        harness.feed([4, 5, 6])
        #expect(harness.events == [])
        #expect(harness.decoder.isMidMessage)
        #expect(harness.decoder.assemblyCapacity < 4_096)
    }

    @Test func `a limit of one frame allows no fragments, and one of none no message`() {
        for first in [0x81, 0x82] as [UInt8] {
            let one = MessageLimits(maxFrameCount: 1)
            let kind = first == 0x81 ? MessageKind.text : .binary
            #expect(DecoderHarness.eventsOfEveryCut([first, 0x00], limits: one) == [.message(kind, [])])
            #expect(
                DecoderHarness.eventsOfEveryCut([first & 0x0F, 0x00, 0x80, 0x00], limits: one)
                    == [.violation(.tooManyFrames)])
            let none = MessageLimits(maxFrameCount: 0)
            #expect(
                DecoderHarness.eventsOfEveryCut([first, 0x01, 0x41], limits: none) == [.violation(.tooManyFrames)])
        }
    }

    @Test func `the default limit of frames stands for empty ones too`() {
        var harness = DecoderHarness()
        harness.feed([0x01, 0x00])
        let thousand = Array(repeating: [0x00, 0x00] as [UInt8], count: 1_024).flatMap { $0 }
        for _ in 0..<256 { harness.feed(thousand) }
        #expect(harness.events == [.violation(.tooManyFrames)])
    }
}
