/// Turns the bytes of one connection into messages and control frames (RFC 6455 §5, §6.2).
///
///     header ──whole──▶ payload ──last byte──▶ header        (data and ping, pong)
///        │                 │
///        └── violation ────┴──▶ failed       payload of a Close frame ──▶ closed
///
/// The input is lent, never kept. The decoder stores the fields of a partial header, and the payload of a partial or
/// fragmented message, appended directly to the message under assembly. That storage grows with the bytes received,
/// never with a declared length. A whole, unfragmented and unmasked frame is a range of the input, without a copy.
///
/// The end latches. After a Close frame everything is discarded and `next` returns `.needMore`; after a violation it
/// throws the same violation again.
package struct MessageDecoder: Sendable {
    private enum Phase: Equatable, Sendable {
        case header
        case payload(FrameHeader)
        case closed
        case failed(WebSocketViolation)
    }

    private let role: WebSocketRole
    private let limits: MessageLimits
    private var phase: Phase = .header
    private var headerParser: FrameHeaderParser
    /// How much of the current frame's payload has arrived.
    private var payloadReceived = 0
    /// The kind of the current fragmented message.
    private var fragmentedKind: MessageKind?
    /// For the current message: whether it is compressed, the declared payloads of its frames so far, their number.
    private var isCompressed = false
    private var messageByteCount = 0
    private var frameCount = 0
    private var text = UTF8Validator()
    private var assembly: [UInt8] = []
    private var isAssembled = false
    private var isCloseReasonComplete = true
    /// Whether the next byte begins a message or a control frame and nothing is kept: the fast path applies.
    private var isBetweenMessages = true

    /// The payload of the last Ping, Pong or Close frame.
    package private(set) var controlPayload: [UInt8] = []
    /// The text of the Close frame; empty without one.
    package private(set) var closeReason = ""

    /// Creates the decoder of one connection.
    ///
    /// - Parameters:
    ///   - role: ours.
    ///   - limits: what the peer may make us hold.
    ///   - allowsCompression: permessage-deflate was agreed on (RFC 7692).
    package init(role: WebSocketRole, limits: MessageLimits = MessageLimits(), allowsCompression: Bool = false) {
        self.role = role
        self.limits = limits
        headerParser = FrameHeaderParser(role: role, allowsCompression: allowsCompression)
    }

    /// Whether a frame or a message is incomplete: the input must not end here.
    package var isMidMessage: Bool {
        switch phase {
        case .header: !headerParser.isAtStart || fragmentedKind != nil
        case .payload: true
        case .closed, .failed: false
        }
    }

    /// Returns the next event and moves `offset` past the bytes it took.
    ///
    /// Call it until it returns `.needMore`, then with the next bytes of the stream. How the stream is cut does not
    /// change the events, except that a cut message is `.assembledMessage`.
    ///
    /// - Parameter mayGrow: the caller can lend the rest of the input again with more bytes behind it. The decoder may
    ///   then leave an incomplete message where it is: `.needMore` with input left. Without `mayGrow` it consumes the
    ///   message.
    /// - Throws: the rule the peer broke; `offset` is then the end of the input.
    package mutating func next(
        in input: Span<UInt8>, at offset: inout Int, mayGrow: Bool = false
    ) throws(WebSocketViolation) -> Event {
        if let event = wholeMessage(in: input, at: &offset, mayGrow) { return event }
        if isAssembled { discardAssembly() }
        do throws(WebSocketViolation) {
            let event = try nextEvent(in: input, &offset)
            isBetweenMessages = phase == .header && headerParser.isAtStart && fragmentedKind == nil && !isAssembled
            return event
        } catch {
            fail(error)
            offset = input.count
            throw error
        }
    }

    /// Ends decoding with a violation that was found in its output.
    package mutating func fail(_ violation: WebSocketViolation) {
        phase = .failed(violation)
        isBetweenMessages = false
        isAssembled = false
        assembly = []
    }

    @inline(never)
    private mutating func nextEvent(in input: Span<UInt8>, _ offset: inout Int) throws(WebSocketViolation) -> Event {
        while true {
            switch phase {
            case .header:
                guard try readHeader(input, &offset) else { return .needMore }
            case .payload(let frame):
                if let event = try readPayload(of: frame, input, &offset) { return event }
                if case .payload = phase { return .needMore }
            case .closed:
                offset = input.count
                return .needMore
            case .failed(let violation):
                throw violation
            }
        }
    }

    /// Moves the message of the last `.assembledMessage` out.
    ///
    /// Give its storage back with `recycle(_:)`.
    package mutating func takeMessage() -> [UInt8] {
        guard isAssembled else { return [] }
        isAssembled = false
        var message: [UInt8] = []
        swap(&message, &assembly)
        return message
    }

    /// Takes storage back, so that the next message to be assembled needs no allocation until `releaseStorage()`.
    ///
    /// Useful only if no other copy of the array is alive.
    package mutating func recycle(_ message: consuming [UInt8]) {
        guard assembly.isEmpty, message.capacity > assembly.capacity else { return }
        message.removeAll(keepingCapacity: true)
        assembly = consume message
    }

    /// The storage held for the message under assembly.
    var assemblyCapacity: Int { assembly.capacity }

    /// Releases kept storage, for a connection that turns idle.
    package mutating func releaseStorage() {
        if assembly.isEmpty { assembly = [] }
        // A partial control frame must stay.
        if phase == .header { controlPayload = [] }
    }

    /// The fast path for nearly every frame that a client gets: unfragmented, unmasked, whole in the input and valid.
    ///
    /// It leaves anything else untouched for the slow path, which also finds the violation.
    @inline(__always)
    private func wholeMessage(in input: Span<UInt8>, at offset: inout Int, _ mayGrow: Bool) -> Event? {
        let available = input.count - offset
        guard isBetweenMessages, role == .client, available >= 2 else { return nil }
        let first = input[offset]
        guard first == 0x81 || first == 0x82 else { return nil }
        var length = Int(input[offset + 1])
        var start = offset + 2
        if length == 126 {
            guard available >= 4 else { return nil }
            length = Int(input[offset + 2]) << 8 | Int(input[offset + 3])
            start += 2
            guard length > 125 else { return nil }
        } else if length > 126 {
            return nil
        }
        guard length <= limits.maxMessageByteCount, limits.maxFrameCount > 0 else { return nil }
        guard length <= input.count - start else { return mayGrow ? .needMore : nil }
        let range = start..<(start + length)
        if first == 0x81 {
            guard UTF8Validator.isValid(input, range) else { return nil }
        }
        offset = range.upperBound
        return .message(first == 0x81 ? .text : .binary, range)
    }

    /// Reads a header up to its last byte, checks the limits and begins the payload.
    ///
    /// False: more bytes are needed.
    private mutating func readHeader(
        _ input: Span<UInt8>, _ offset: inout Int
    ) throws(WebSocketViolation) -> Bool {
        while offset < input.count {
            let byte = input[offset]
            offset += 1
            let isMidMessage = fragmentedKind != nil
            guard let frame = try headerParser.consume(byte, isMidMessage: isMidMessage) else { continue }
            if frame.opcode.isControl {
                controlPayload.removeAll(keepingCapacity: true)
            } else {
                try checkLimits(frame)
            }
            payloadReceived = 0
            phase = .payload(frame)
            return true
        }
        return false
    }

    /// RFC 6455 §10.4: the limits hold before a byte of the payload is stored.
    private mutating func checkLimits(_ frame: FrameHeader) throws(WebSocketViolation) {
        if frame.opcode != .continuation {
            isCompressed = frame.isCompressed
            messageByteCount = 0
            frameCount = 0
            text = UTF8Validator()
        }
        frameCount += 1
        let limit = isCompressed ? limits.maxCompressedByteCount : limits.maxMessageByteCount
        if frame.payloadByteCount > limit - messageByteCount { throw .messageTooLarge }
        messageByteCount += frame.payloadByteCount
        if frameCount > limits.maxFrameCount { throw .tooManyFrames }
    }

    /// Consumes payload.
    ///
    /// Nil with the phase unchanged: more bytes are needed; nil otherwise: a fragment ended.
    private mutating func readPayload(
        of frame: FrameHeader, _ input: Span<UInt8>, _ offset: inout Int
    ) throws(WebSocketViolation) -> Event? {
        let missing = frame.payloadByteCount - payloadReceived
        let range = offset..<(offset + min(missing, input.count - offset))
        offset = range.upperBound
        if frame.opcode.isControl {
            appendControl(input, range, key: frame.maskingKey)
            if frame.opcode == .close { try checkClose() }
        } else {
            let kind = kind(of: frame)
            if isCompressed { return takeCompressed(frame, input, range, kind) }
            if isWhole(frame, range) {
                if kind == .text && !UTF8Validator.isValid(input, range) { throw .invalidUTF8 }
                phase = .header
                return .message(kind, range)
            }
            try appendData(input, range, key: frame.maskingKey, kind: kind)
        }
        payloadReceived += range.count
        guard range.count == missing else { return nil }
        phase = .header
        return frame.opcode.isControl ? try finishControl(frame.opcode) : try finishData(frame)
    }

    private func kind(of frame: FrameHeader) -> MessageKind {
        fragmentedKind ?? (frame.opcode == .text ? .text : .binary)
    }

    /// Whether `range` of the input is the payload of a whole message.
    private func isWhole(_ frame: FrameHeader, _ range: Range<Int>) -> Bool {
        frame.isFinal && fragmentedKind == nil && frame.maskingKey == nil && range.count == frame.payloadByteCount
    }

    private mutating func appendControl(_ input: Span<UInt8>, _ range: Range<Int>, key: UInt32?) {
        let start = controlPayload.count
        Bytes.append(input, range, to: &controlPayload)
        if let key { Bytes.mask(&controlPayload, from: start, key: key, phase: payloadReceived) }
    }

    private mutating func appendData(
        _ input: Span<UInt8>, _ range: Range<Int>, key: UInt32?, kind: MessageKind
    ) throws(WebSocketViolation) {
        let start = assembly.count
        Bytes.append(input, range, to: &assembly)
        if let key { Bytes.mask(&assembly, from: start, key: key, phase: payloadReceived) }
        guard kind == .text else { return }
        // RFC 6455 §8.1: fail at the first byte that cannot be UTF-8, not at the end of the message.
        var text = self.text
        let isPossible = text.consume(assembly.span, start..<assembly.count)
        self.text = text
        if !isPossible { throw .invalidUTF8 }
    }

    /// Passes on compressed payload as it arrives; nil when there is none and the message goes on.
    private mutating func takeCompressed(
        _ frame: FrameHeader, _ input: Span<UInt8>, _ range: Range<Int>, _ kind: MessageKind
    ) -> Event? {
        let isFrameComplete = payloadReceived + range.count == frame.payloadByteCount
        let isLast = isFrameComplete && frame.isFinal
        if let key = frame.maskingKey {
            Bytes.append(input, range, to: &assembly)
            Bytes.mask(&assembly, from: 0, key: key, phase: payloadReceived)
            isAssembled = true
        }
        payloadReceived += range.count
        if isFrameComplete {
            phase = .header
            fragmentedKind = isLast ? nil : kind
        }
        guard isLast || !range.isEmpty else { return nil }
        return .compressed(kind, frame.maskingKey == nil ? range : nil, isLast: isLast)
    }

    private mutating func finishData(_ frame: FrameHeader) throws(WebSocketViolation) -> Event? {
        let kind = kind(of: frame)
        guard frame.isFinal else {
            fragmentedKind = kind
            return nil
        }
        if kind == .text && !text.isComplete { throw .invalidUTF8 }
        fragmentedKind = nil
        isAssembled = true
        return .assembledMessage(kind)
    }

    private mutating func finishControl(_ opcode: Opcode) throws(WebSocketViolation) -> Event {
        switch opcode {
        case .ping: return .ping
        case .pong: return .pong
        case .close: return try finishClose()
        case .continuation, .text, .binary:
            preconditionFailure("a data frame in the payload of a control frame")
        }
    }

    /// RFC 6455 §5.5.1: an optional code of two bytes, then an optional reason in UTF-8; as much as has arrived of it.
    private mutating func checkClose() throws(WebSocketViolation) {
        guard let code = receivedCloseCode else { return }
        guard code.isValidOnWire else { throw .invalidCloseCode }
        // At most 123 bytes: checked from the start each time.
        var reason = UTF8Validator()
        let isPossible = reason.consume(controlPayload.span, 2..<controlPayload.count)
        isCloseReasonComplete = reason.isComplete
        if !isPossible { throw .invalidCloseReason }
    }

    private var receivedCloseCode: CloseCode? {
        guard controlPayload.count >= 2 else { return nil }
        return CloseCode(rawValue: UInt16(controlPayload[0]) << 8 | UInt16(controlPayload[1]))
    }

    private mutating func finishClose() throws(WebSocketViolation) -> Event {
        let code = receivedCloseCode
        if code != nil {
            guard isCloseReasonComplete else { throw .invalidCloseReason }
            closeReason = String(decoding: controlPayload[2...], as: UTF8.self)
        }
        phase = .closed
        fragmentedKind = nil
        assembly = []
        return .close(code)
    }

    private mutating func discardAssembly() {
        isAssembled = false
        assembly.removeAll(keepingCapacity: true)
    }
}
