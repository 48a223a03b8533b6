import GenesysLoop

/// Frames and messages, in either role.
///
/// Input: a byte of settings, then the stream. However it is cut, the decoder must agree with the reference, and an
/// accepted frame must equal the one that our encoder writes for its content.
enum DecoderOracle {
    typealias Event = ReferenceDecoder.Event

    struct Setup {
        let role: WebSocketRole
        let limits: MessageLimits
        let allowsCompression: Bool
        /// Whether the user returns storage, and releases kept storage between two pieces.
        let isThrifty: Bool

        init(_ flags: UInt8) {
            role = flags & 1 == 0 ? .client : .server
            limits =
                flags & 2 == 0 ? MessageLimits() : MessageLimits(maxMessageByteCount: 200, maxFrameCount: 3)
            isThrifty = flags & 4 != 0
            allowsCompression = flags & 8 != 0
        }
    }

    static func complaint(about input: [UInt8]) -> String? {
        let setup = Setup(input.first ?? 0)
        let stream = Array(input.dropFirst())
        let expected = ReferenceDecoder(
            stream, role: setup.role, limits: setup.limits, allowsCompression: setup.allowsCompression)
        for pieces in Pieces.all(of: stream) {
            var run = Run(setup)
            if let complaint = run.feed(stream, pieces) { return "\(pieces.name): \(complaint)" }
            guard run.events == expected.events else {
                return "\(pieces.name): \(run.events) instead of \(expected.events)"
            }
            guard run.unfinished == expected.unfinished else {
                return "\(pieces.name): of a compressed message came \(run.unfinished)"
            }
            guard run.decoder.isMidMessage == expected.isMidMessage else {
                return "\(pieces.name): isMidMessage is \(run.decoder.isMidMessage)"
            }
        }
        for frame in expected.frames {
            if let complaint = complaint(about: frame, of: stream) { return complaint }
        }
        return expected.events.lazy.compactMap(complaint(about:)).first
    }

    private static func complaint(about frame: ReferenceDecoder.Frame, of stream: [UInt8]) -> String? {
        var written: [UInt8] = []
        FrameEncoder.append(
            frame.opcode, isFinal: frame.isFinal, isCompressed: frame.isCompressed, payload: frame.payload,
            maskingKey: frame.key, to: &written)
        guard written.elementsEqual(stream[frame.range]) else {
            return "the frame at \(frame.range) is written as \(written)"
        }
        guard frame.opcode == .close, frame.payload.count > 1 else { return nil }
        let code = CloseCode(rawValue: UInt16(frame.payload[0]) << 8 | UInt16(frame.payload[1]))
        guard code.description.hasPrefix("\(code.rawValue)") else { return "a code calls itself \(code)" }
        return code.isSendable && !code.isValidOnWire ? "\(code) may be sent, but not received" : nil
    }

    private static func complaint(about event: Event) -> String? {
        switch event {
        case .message, .compressed, .ping, .pong:
            return nil
        case .close(let code, let reason):
            // A received code may be sent back, and reads the same.
            var written: [UInt8] = []
            FrameEncoder.appendClose(code, reason: reason, maskingKey: nil, to: &written)
            return ReferenceDecoder(written, role: .client, limits: MessageLimits()).events == [event]
                ? nil : "a Close frame is written as \(written)"
        case .violation(let violation):
            guard violation.closeCode.isValidOnWire else { return "\(violation) answers \(violation.closeCode)" }
            return violation.section.hasPrefix("RFC ") && violation.description.hasSuffix(".")
                ? nil : "\(violation) has no sentence"
        }
    }
}

extension DecoderOracle {
    /// One decoder and its events.
    struct Run {
        private let setup: Setup
        private(set) var decoder: MessageDecoder
        private(set) var events: [Event] = []
        /// The received part of an incomplete compressed message.
        private(set) var unfinished: [UInt8] = []
        private var violation: WebSocketViolation?

        init(_ setup: Setup) {
            self.setup = setup
            decoder = MessageDecoder(
                role: setup.role, limits: setup.limits, allowsCompression: setup.allowsCompression)
        }

        /// Feeds everything, and once more after the end, when a decoder must give the same answer.
        mutating func feed(_ stream: [UInt8], _ pieces: Pieces) -> String? {
            for range in pieces.ranges {
                if let complaint = feed(stream.span.extracting(range)) { return complaint }
                if setup.isThrifty { decoder.releaseStorage() }
            }
            guard violation != nil || isClosed else { return nil }
            let before = events
            if let complaint = feed(stream.span) { return complaint }
            return events == before ? nil : "its end does not last"
        }

        private var isClosed: Bool {
            if case .close = events.last { true } else { false }
        }

        private mutating func feed(_ piece: Span<UInt8>) -> String? {
            var offset = 0
            while true {
                let before = offset
                do throws(WebSocketViolation) {
                    let event = try decoder.next(in: piece, at: &offset)
                    if violation != nil { return "it goes on after a violation" }
                    guard offset >= before, offset <= piece.count else { return "the offset left the piece" }
                    guard event != .needMore else {
                        return offset == piece.count ? nil : "it wants more of what it has"
                    }
                    if isClosed { return "it goes on after a Close frame" }
                    take(event, of: piece)
                } catch {
                    guard offset == piece.count else { return "a violation leaves bytes" }
                    if let violation { return violation == error ? nil : "another violation follows" }
                    violation = error
                    events.append(.violation(error))
                    return nil
                }
            }
        }

        private mutating func take(_ event: MessageDecoder.Event, of piece: Span<UInt8>) {
            switch event {
            case .message(let kind, let range):
                events.append(.message(kind, piece.copied(range)))
            case .assembledMessage(let kind):
                let message = decoder.takeMessage()
                events.append(.message(kind, message))
                if setup.isThrifty { decoder.recycle(message) }
            case .compressed(let kind, let range, let isLast):
                unfinished += range.map { piece.copied($0) } ?? decoder.takeMessage()
                guard isLast else { break }
                events.append(.compressed(kind, unfinished))
                unfinished = []
            case .ping: events.append(.ping(decoder.controlPayload))
            case .pong: events.append(.pong(decoder.controlPayload))
            case .close(let code): events.append(.close(code, decoder.closeReason))
            case .needMore: break
            }
        }
    }
}
