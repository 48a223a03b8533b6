/// The messages of one connection: `MessageDecoder`, followed by decompression.
///
/// Used like the decoder: call `next` until `.needMore`; errors latch. Without permessage-deflate it only forwards the
/// decoder's events.
package struct MessageReader: ~Copyable {
    /// The result of `next`.
    package enum Event: Equatable, Sendable {
        /// All of the input was consumed, unless it may grow.
        case needMore
        /// A message whose payload is this range of the input.
        case message(MessageKind, Range<Int>)
        /// A message assembled from pieces: `takeMessage()` returns it until the next call of `next`.
        case assembledMessage(MessageKind)
        /// A Ping frame; the answer must repeat `controlPayload` (RFC 6455 §5.5.2).
        case ping
        /// A Pong frame with `controlPayload`.
        case pong
        /// A Close frame; nil without a code. The text is in `closeReason`.
        case close(CloseCode?)
    }

    private var decoder: MessageDecoder
    private let maxMessageByteCount: Int
    private var inflater: Inflater
    /// The decompressed part of the current message.
    private var inflated: [UInt8] = []
    private var isInflated = false
    private var text = UTF8Validator()

    /// Creates the reader of one connection.
    ///
    /// - Parameters:
    ///   - role: the role of this side.
    ///   - limits: apply to decompressed messages.
    ///   - deflate: the agreed parameters of permessage-deflate; nil without it.
    package init(role: WebSocketRole, limits: MessageLimits = MessageLimits(), deflate: DeflateParameters? = nil) {
        decoder = MessageDecoder(role: role, limits: limits, allowsCompression: deflate != nil)
        maxMessageByteCount = limits.maxMessageByteCount
        let deflate = deflate ?? DeflateParameters()
        inflater = Inflater(
            windowBits: deflate.receivedWindowBits(by: role), keepsContext: deflate.keepsReceivedContext(for: role))
    }

    /// The payload of the last Ping, Pong or Close frame.
    package var controlPayload: [UInt8] { decoder.controlPayload }
    /// The text of the Close frame; empty without one.
    package var closeReason: String { decoder.closeReason }
    /// Whether a frame or a message is incomplete: an end of the input here is a truncation.
    package var isMidMessage: Bool { decoder.isMidMessage }
    /// Whether it holds memory to decompress.
    package var holdsInflateState: Bool { inflater.holdsState }

    /// Returns the next event and moves `offset` past the bytes it took.
    ///
    /// - Parameter mayGrow: as for `MessageDecoder.next`.
    /// - Throws: the rule the peer broke; `offset` is then the end of the input.
    @inline(__always)
    package mutating func next(
        in input: Span<UInt8>, at offset: inout Int, mayGrow: Bool = false
    ) throws(WebSocketViolation) -> Event {
        if isInflated { discardInflated() }
        while true {
            switch try decoder.next(in: input, at: &offset, mayGrow: mayGrow) {
            case .needMore: return .needMore
            case .message(let kind, let range): return .message(kind, range)
            case .assembledMessage(let kind): return .assembledMessage(kind)
            case .compressed(let kind, let range, let isLast):
                if try inflate(kind, range, isLast, input, &offset) { return .assembledMessage(kind) }
            case .ping: return .ping
            case .pong: return .pong
            case .close(let code): return .close(code)
            }
        }
    }

    /// Decompresses a piece; true if the message is complete.
    @inline(never)
    private mutating func inflate(
        _ kind: MessageKind, _ range: Range<Int>?, _ isLast: Bool, _ input: Span<UInt8>, _ offset: inout Int
    ) throws(WebSocketViolation) -> Bool {
        do throws(WebSocketViolation) {
            if let range {
                try inflate(kind, input.extracting(range), isLast)
            } else {
                let piece = decoder.takeMessage()
                try inflate(kind, piece.span, isLast)
                decoder.recycle(piece)
            }
        } catch {
            decoder.fail(error)
            offset = input.count
            inflater.stop()
            inflated = []
            throw error
        }
        isInflated = isLast
        return isLast
    }

    private mutating func inflate(
        _ kind: MessageKind, _ piece: Span<UInt8>, _ isLast: Bool
    ) throws(WebSocketViolation) {
        let start = inflated.count
        var text = self.text
        do throws(WebSocketViolation) {
            try inflater.inflate(piece, isLast: isLast, into: &inflated, limit: maxMessageByteCount)
        } catch {
            // The output so far is checked first: the reported violation must not depend on how the stream was split.
            let end = max(start, min(inflated.count, maxMessageByteCount))
            if kind == .text && !text.consume(inflated.span, start..<end) { throw .invalidUTF8 }
            throw error
        }
        guard kind == .text else { return }
        // RFC 6455 §8.1, RFC 7692 §6.2: decompressed text must be UTF-8, and fails as soon as it cannot be.
        guard text.consume(inflated.span, start..<inflated.count), !isLast || text.isComplete else {
            throw .invalidUTF8
        }
        self.text = isLast ? UTF8Validator() : text
    }

    /// Moves the message of the last `.assembledMessage` out.
    ///
    /// Return its storage with `recycle(_:)`.
    package mutating func takeMessage() -> [UInt8] {
        guard isInflated else { return decoder.takeMessage() }
        isInflated = false
        var message: [UInt8] = []
        swap(&message, &inflated)
        return message
    }

    /// Takes storage back, so that the next message to be assembled needs no allocation.
    package mutating func recycle(_ message: consuming [UInt8]) {
        guard inflater.holdsState, inflated.isEmpty else {
            return decoder.recycle(consume message)
        }
        message.removeAll(keepingCapacity: true)
        inflated = consume message
    }

    /// Frees what an idle connection does not need: storage of messages, and the memory to decompress unless the window
    /// is kept.
    package mutating func releaseIdleState() {
        decoder.releaseStorage()
        inflater.releaseIdleState()
        if !inflater.holdsState && inflated.isEmpty { inflated = [] }
    }

    private mutating func discardInflated() {
        isInflated = false
        inflated.removeAll(keepingCapacity: true)
    }
}
