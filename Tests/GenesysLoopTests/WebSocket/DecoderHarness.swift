@testable import GenesysLoop

/// An event with its payload, so that streams cut differently compare equal.
enum OwnedEvent: Equatable {
    case message(MessageKind, [UInt8])
    case ping([UInt8])
    case pong([UInt8])
    case close(CloseCode?, String)
    case violation(WebSocketViolation)
}

/// Feeds pieces of one stream to a decoder and records the events.
struct DecoderHarness {
    var decoder: MessageDecoder
    private(set) var events: [OwnedEvent] = []
    private(set) var wholeMessageCount = 0

    init(role: WebSocketRole = .client, limits: MessageLimits = MessageLimits()) {
        decoder = MessageDecoder(role: role, limits: limits)
    }

    mutating func feed(_ piece: [UInt8]) {
        _ = feed(piece.span)
    }

    /// Returns how much it consumed: all of it, unless it may grow.
    mutating func feed(_ input: Span<UInt8>, mayGrow: Bool = false) -> Int {
        var offset = 0
        while true {
            let before = offset
            do throws(WebSocketViolation) {
                let event = try decoder.next(in: input, at: &offset, mayGrow: mayGrow)
                precondition(offset >= before && offset <= input.count, "the offset left the input")
                switch event {
                case .needMore:
                    precondition(mayGrow || offset == input.count, "needMore with input left")
                    return offset
                case .message(let kind, let range):
                    wholeMessageCount += 1
                    events.append(.message(kind, input.extracting(range).byteArray()))
                case .assembledMessage(let kind):
                    let message = decoder.takeMessage()
                    events.append(.message(kind, message))
                    decoder.recycle(message)
                case .compressed: preconditionFailure("nothing compressed was agreed on")
                case .ping: events.append(.ping(decoder.controlPayload))
                case .pong: events.append(.pong(decoder.controlPayload))
                case .close(let code): events.append(.close(code, decoder.closeReason))
                }
            } catch {
                precondition(offset == input.count, "a violation leaves input")
                if events.last != .violation(error) { events.append(.violation(error)) }
                return offset
            }
        }
    }

    /// The events of a stream cut at the given positions, if they are the same when the rest of each piece is lent
    /// again in front of the next one; else the different events.
    static func events(
        _ stream: [UInt8], cuts: [Int] = [], role: WebSocketRole = .client, limits: MessageLimits = MessageLimits()
    ) -> [OwnedEvent] {
        var harness = DecoderHarness(role: role, limits: limits)
        var growing = harness
        var start = 0
        var taken = 0
        for cut in cuts + [stream.count] {
            harness.feed(Array(stream[start..<cut]))
            // Every second time and at the end it cannot grow, as at the end of a buffer.
            let mayGrow = cut < stream.count && (start ^ cut) & 1 == 1
            taken += growing.feed(stream.span.extracting(taken..<cut), mayGrow: mayGrow)
            start = cut
        }
        return growing.events == harness.events ? harness.events : growing.events
    }

    /// The events of a stream fed whole, if every way of cutting it in two and byte by byte gives the same; else the
    /// events of the first differing cut.
    static func eventsOfEveryCut(
        _ stream: [UInt8], role: WebSocketRole = .client, limits: MessageLimits = MessageLimits()
    ) -> [OwnedEvent] {
        let whole = events(stream, role: role, limits: limits)
        let byByte = events(stream, cuts: Array(1..<max(1, stream.count)), role: role, limits: limits)
        guard byByte == whole else { return byByte }
        for cut in 0...stream.count {
            let split = events(stream, cuts: [cut], role: role, limits: limits)
            guard split == whole else { return split }
        }
        return whole
    }
}

/// A reproducible stream of numbers (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// One frame, without any check: tests break the rules.
func frame(_ first: UInt8, _ payload: [UInt8], key: UInt32? = nil) -> [UInt8] {
    var bytes: [UInt8] = []
    FrameEncoder.append(.binary, payload: payload, maskingKey: key, to: &bytes)
    bytes[0] = first
    return bytes
}

func utf8(_ text: String) -> [UInt8] {
    Array(text.utf8)
}
