import GenesysLoop

/// Messages with permessage-deflate: frames, decompression, and compression back.
///
/// Input: two bytes of settings, then the stream. The output does not depend on the cuts of the stream, equals that of
/// the reference, and never exceeds the limit; and the output that we compress reads back unchanged.
enum ReaderOracle {
    typealias Event = ReferenceDecoder.Event

    struct Setup {
        let role: WebSocketRole
        let limits: MessageLimits
        let deflate: DeflateParameters
        /// Whether storage is returned, and idle state released.
        let isThrifty: Bool

        init(_ flags: UInt8, _ bits: UInt8) {
            role = flags & 1 == 0 ? .client : .server
            limits = MessageLimits(maxMessageByteCount: flags & 2 == 0 ? 100_000 : 300, maxFrameCount: 50)
            isThrifty = flags & 4 != 0
            var deflate = DeflateParameters()
            deflate.serverNoContextTakeover = flags & 8 != 0
            deflate.clientNoContextTakeover = flags & 8 != 0
            deflate.serverMaxWindowBits = 15 - Int(bits & 7)
            deflate.clientMaxWindowBits = 15 - Int(bits & 7)
            self.deflate = deflate
        }
    }

    static func complaint(about input: [UInt8]) -> String? {
        var source = FuzzInput(input)
        let setup = Setup(source.byte(), source.byte())
        let stream = source.rest()
        let reference = Expectation(stream, setup)
        var first: [Event]?
        for pieces in Pieces.all(of: stream) {
            var run = Run(setup)
            if let complaint = run.feed(stream, pieces) { return "\(pieces.name): \(complaint)" }
            // Whether zlib detects a window larger than agreed depends on the room for its output.
            if reference.isOverrun { continue }
            if let first, run.events != first { return "\(pieces.name): \(run.events) instead of \(first)" }
            first = run.events
        }
        guard let first else { return nil }
        if first != reference.events, !isEarly(first, reference.events, isUnfinished: reference.isUnfinished) {
            return "\(first) instead of \(reference.events)"
        }
        return roundTripComplaint(first, setup)
    }

    /// The reference's result for a stream. After an incomplete compressed message, only the end of that message may
    /// follow.
    private struct Expectation {
        private(set) var events: [Event] = []
        let isUnfinished: Bool
        let isOverrun: Bool

        init(_ stream: [UInt8], _ setup: Setup) {
            let reference = ReferenceDecoder(stream, role: setup.role, limits: setup.limits, allowsCompression: true)
            let limit = setup.limits.maxMessageByteCount
            var inflate = ReferenceInflate(
                windowBits: setup.deflate.receivedWindowBits(by: setup.role),
                keepsContext: setup.deflate.keepsReceivedContext(for: setup.role))
            isUnfinished = !reference.unfinished.isEmpty
            events: for event in reference.events {
                guard case .compressed(let kind, let payload) = event else {
                    events.append(event)
                    continue
                }
                let (output, violation) = inflate.message(payload, limit: limit)
                // The byte beyond the limit is not checked.
                if kind == .text,
                    !(violation == nil
                        ? ReferenceUTF8.isValid(output) : ReferenceUTF8.isPossible(Array(output.prefix(limit))))
                {
                    events.append(.violation(.invalidUTF8))
                    break events
                }
                guard let violation else {
                    events.append(.message(kind, output))
                    continue
                }
                events.append(.violation(violation == .tooLarge ? .messageTooLarge : .invalidCompressedData))
                break events
            }
            if isUnfinished { _ = inflate.message(reference.unfinished, limit: limit) }
            isOverrun = inflate.isOverrun
        }
    }

    /// The reference checks a message when it is complete; a reader may refuse it before the control frames among its
    /// fragments, and before the frame that ends it.
    private static func isEarly(_ events: [Event], _ expected: [Event], isUnfinished: Bool) -> Bool {
        guard case .violation(let violation) = events.last,
            [.invalidCompressedData, .invalidUTF8, .messageTooLarge].contains(violation),
            expected.starts(with: events.dropLast())
        else { return false }
        let next = expected.dropFirst(events.count - 1).first { event in
            switch event {
            case .ping, .pong: false
            case .message, .compressed, .close, .violation: true
            }
        }
        guard isUnfinished else { return next == events.last }
        switch next {
        case nil, .violation, .close: return true
        case .message, .compressed, .ping, .pong: return false
        }
    }

    /// Compresses and frames what was received, and reads it again on the other side.
    private static func roundTripComplaint(_ events: [Event], _ setup: Setup) -> String? {
        let receiver: WebSocketRole = setup.role == .client ? .server : .client
        var deflater = Deflater(
            windowBits: setup.deflate.sentWindowBits(by: setup.role),
            keepsContext: setup.deflate.keepsSentContext(for: setup.role))
        var stream: [UInt8] = []
        var messages: [Event] = []
        for case .message(let kind, let message) in events {
            messages.append(.message(kind, message))
            let compressed = deflater.deflate(message.span)
            if setup.isThrifty { deflater.releaseIdleState() }
            FrameEncoder.append(
                kind == .text ? .text : .binary, isCompressed: compressed != nil, payload: compressed ?? message,
                maskingKey: receiver == .server ? 0x1234_5678 : nil, to: &stream)
        }
        var reader = Run(setup, role: receiver)
        if let complaint = reader.feed(stream, Pieces(name: "", ranges: [0..<stream.count])) { return complaint }
        return reader.events == messages ? nil : "compressed and back: \(reader.events) instead of \(messages)"
    }
}

extension ReaderOracle {
    /// One reader and its events.
    struct Run: ~Copyable {
        private let setup: Setup
        private var reader: MessageReader
        private(set) var events: [Event] = []
        private var violation: WebSocketViolation?

        init(_ setup: Setup, role: WebSocketRole? = nil) {
            self.setup = setup
            reader = MessageReader(role: role ?? setup.role, limits: setup.limits, deflate: setup.deflate)
        }

        /// Feeds everything, and once more after a violation, which must then be the same.
        mutating func feed(_ stream: [UInt8], _ pieces: Pieces) -> String? {
            for range in pieces.ranges {
                if let complaint = feed(stream.span.extracting(range)) { return complaint }
                if setup.isThrifty { reader.releaseIdleState() }
            }
            guard violation != nil else { return nil }
            if reader.isMidMessage { return "in the middle of a message after the end" }
            if reader.holdsInflateState, setup.isThrifty, violation == .invalidCompressedData { return "state is kept" }
            return feed(stream.span)
        }

        private mutating func feed(_ piece: Span<UInt8>) -> String? {
            var offset = 0
            while true {
                do throws(WebSocketViolation) {
                    let event = try reader.next(in: piece, at: &offset)
                    if violation != nil { return "it goes on after a violation" }
                    guard event != .needMore else {
                        return offset == piece.count ? nil : "it wants more of what it has"
                    }
                    if let complaint = take(event, of: piece) { return complaint }
                } catch {
                    guard offset == piece.count else { return "a violation leaves bytes" }
                    if let violation { return violation == error ? nil : "another violation follows" }
                    violation = error
                    events.append(.violation(error))
                    return nil
                }
            }
        }

        private mutating func take(_ event: MessageReader.Event, of piece: Span<UInt8>) -> String? {
            switch event {
            case .message(let kind, let range): events.append(.message(kind, piece.copied(range)))
            case .assembledMessage(let kind):
                let message = reader.takeMessage()
                events.append(.message(kind, message))
                if setup.isThrifty { reader.recycle(message) }
            case .ping: events.append(.ping(reader.controlPayload))
            case .pong: events.append(.pong(reader.controlPayload))
            case .close(let code): events.append(.close(code, reader.closeReason))
            case .needMore: break
            }
            guard case .message(_, let message) = events.last else { return nil }
            let most = setup.limits.maxMessageByteCount
            return message.count <= most ? nil : "a message of \(message.count) bytes"
        }
    }
}
