/// The plaintext that is being parsed: in the loop's buffer during a read, or in a buffer of its own (the carry) if
/// reading was paused in the middle of a read.
///
/// The pointer is valid while the link is being read: nothing else uses the loop's buffers during a pass, and the carry
/// is freed only here.
@safe struct LinkInput: ~Copyable {
    private var base: UnsafePointer<UInt8>?
    private(set) var end = 0
    var offset = 0
    private var carry: UnsafeMutableBufferPointer<UInt8>?
    /// Whether more bytes can be appended at `end`.
    private(set) var mayGrow = false

    var isExhausted: Bool { offset >= end }

    deinit {
        if let carry = unsafe carry { unsafe carry.deallocate() }
    }

    /// Parses `bytes` next; they must stay in place until all of them are consumed or another input is set.
    mutating func set(_ bytes: UnsafeRawBufferPointer, mayGrow: Bool = false) {
        // The loop lends its buffer for the length of the read callback.
        unsafe base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        end = bytes.count
        offset = 0
        self.mayGrow = mayGrow
    }

    /// Moves the unconsumed rest to the start of `buffer`, which holds it, so that it ends at the end of a cache line.
    mutating func moveRest(to buffer: UnsafeMutableRawBufferPointer) {
        let rest = unsafe UnsafeRawBufferPointer(self.rest)
        let start = -rest.count & 63
        // Both places are inside the buffer, whose size is a multiple of a cache line; they may overlap.
        unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[start..<(start + rest.count)]).copyMemory(from: rest)
        offset = start
        end = start + rest.count
    }

    /// `count` bytes were appended.
    mutating func grow(by count: Int) {
        end += count
    }

    /// The unconsumed rest.
    var rest: UnsafeBufferPointer<UInt8> {
        unsafe UnsafeBufferPointer(start: base.map { unsafe $0 + offset }, count: end - offset)
    }

    /// The whole input; offsets and ranges count from its start. It stays in place until another input is set.
    var span: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let whole = unsafe UnsafeBufferPointer(start: base, count: end)
            return unsafe _overrideLifetime(Span(_unsafeElements: whole), borrowing: self)
        }
    }

    /// Nothing can be appended: what is there must be parsed as far as possible.
    mutating func endGrowth() {
        mayGrow = false
    }

    /// Continues with `bytes`, which may be none, in a buffer of its own.
    mutating func adopt(_ bytes: [UInt8]) {
        freeCarry()
        // Owned by this value until `freeCarry`.
        let kept = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        _ = unsafe kept.initialize(fromContentsOf: bytes)
        unsafe carry = kept
        unsafe base = UnsafePointer(kept.baseAddress)
        end = kept.count
        offset = 0
    }

    var hasCarry: Bool { unsafe carry != nil }

    mutating func freeCarry() {
        if let carry = unsafe carry { unsafe carry.deallocate() }
        unsafe carry = nil
        clear()
    }

    private mutating func clear() {
        unsafe base = nil
        end = 0
        offset = 0
        mayGrow = false
    }
}

/// What comes in on a link: bytes and records go in, events come out.
///
/// It acts on nothing: `Link` does, which owns the loop over the events (`Link.deliver`). It has exclusive access for
/// the length of that loop, so that no message needs an access to an object.
@safe struct Inbound: ~Copyable {
    /// The result of `next`.
    enum Event: Equatable {
        /// No more events until the next read.
        case needMore
        /// A message in one piece in the input: `payload(_:)` of the range.
        case message(MessageKind, Range<Int>)
        /// A message assembled from pieces: `takeMessage()`, then `recycle(_:)`.
        case assembledMessage(MessageKind)
        /// A Ping frame with `controlPayload`.
        case ping
        /// A Pong frame with `controlPayload`.
        case pong
        /// A Close frame; nil without a code. The text is in `closeReason`.
        case close(CloseCode?)
        /// The peer broke a rule.
        case violation(WebSocketViolation)
        /// The peer ended TLS cleanly.
        case closeNotify
    }

    private var input = LinkInput()
    private var reader: MessageReader
    /// The source of the input; nil without TLS. Retained until `deinit`, so that reading a record does not change its
    /// reference count.
    private let source: Unmanaged<TLSSession>?

    init(limits: MessageLimits, tls: TLSSession? = nil) {
        reader = MessageReader(role: .client, limits: limits)
        unsafe source = tls.map { unsafe Unmanaged.passRetained($0) }
    }

    deinit {
        // The counterpart of `passRetained`.
        if let source = unsafe source { unsafe source.release() }
    }

    // MARK: - Bytes

    /// Takes the bytes of a read without TLS; lent until `keep` or `forget`.
    mutating func lend(_ bytes: UnsafeRawBufferPointer) {
        unsafe input.set(bytes)
    }

    /// Makes sure that there are unread bytes.
    ///
    /// - Returns: nil if there are; otherwise `.needMore` or `.closeNotify`.
    /// - Throws: the error that ended the session; again in later calls.
    @inline(__always)
    mutating func fill(on loop: UVLoop) throws(TLSError) -> Event? {
        guard input.isExhausted else { return nil }
        switch try unsafe read(into: loop.plaintextBuffer).get() {
        case .bytes(let count):
            // The buffer belongs to this link until the read ends.
            unsafe input.set(UnsafeRawBufferPointer(rebasing: loop.plaintextBuffer[..<count]), mayGrow: true)
            return nil
        case .needMore:
            return .needMore
        case .closeNotify:
            return .closeNotify
        }
    }

    /// The bytes that no event has taken yet.
    var unread: Span<UInt8> {
        @_lifetime(borrow self)
        get { input.span.extracting(input.offset...) }
    }

    /// Moves past `count` unread bytes, which belong to the upgrade.
    mutating func skip(_ count: Int) {
        input.offset += count
    }

    /// A pause ends the read: moves the rest out of the loop's buffers, which other links need.
    ///
    /// Does not report an end of the session: after the kept bytes `next` finds it again.
    mutating func keep(on loop: UVLoop) {
        var kept = unsafe [UInt8](input.rest)
        while true {
            switch unsafe read(into: loop.plaintextBuffer) {
            // Copied before the next record overwrites the buffer.
            case .success(.bytes(let count)): unsafe kept.append(contentsOf: loop.plaintextBuffer[..<count])
            case .success(.needMore): return kept.isEmpty ? forget() : input.adopt(kept)
            case .success(.closeNotify), .failure: return input.adopt(kept)
            }
        }
    }

    /// Whether a pause has kept something: bytes, or only the end of the session.
    var hasKept: Bool { input.hasCarry }

    /// Whether a pause has kept bytes.
    var hasKeptBytes: Bool { input.hasCarry && !input.isExhausted }

    /// The read or the link is over: drops what is unread, and what was kept.
    mutating func forget() {
        input.freeCarry()
    }

    /// Decrypts the next record into `target`.
    @inline(__always)
    private func read(into target: UnsafeMutableRawBufferPointer) -> Result<TLSSession.ReadResult, TLSError> {
        guard let source = unsafe source else { return .success(.needMore) }
        // The caller lends the target; the session is retained.
        return unsafe source._withUnsafeGuaranteedRef { session in
            Result { () throws(TLSError) in try unsafe session.read(into: target) }
        }
    }

    /// A rest of at most this many bytes moves to the start of the buffer even if there is space after it: the start of
    /// the buffer is in the processor's caches, the rest is not.
    private static let movableByteCount = 2048

    /// Decrypts the next record after the input, which is in `buffer` and ends in the middle of a message.
    ///
    /// Without space for a whole record, or without a record, the message is parsed as far as it is there. The next
    /// `read` finds an end of the session again.
    private mutating func grow(in buffer: UnsafeMutableRawBufferPointer) {
        let count = input.end - input.offset
        if count <= Inbound.movableByteCount || buffer.count - input.end < TLSSession.maxRecordByteCount,
            count <= buffer.count - 2 * TLSSession.maxRecordByteCount
        {
            unsafe input.moveRest(to: buffer)
        }
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[input.end...])
        if room.count >= TLSSession.maxRecordByteCount, case .success(.bytes(let count)) = unsafe read(into: room) {
            input.grow(by: count)
        } else {
            input.endGrowth()
        }
    }

    // MARK: - Events

    /// Decompresses from now on, with the agreed parameters (RFC 7692 §6).
    mutating func decompress(_ agreed: DeflateParameters, limits: MessageLimits) {
        reader = MessageReader(role: .client, limits: limits, deflate: agreed)
    }

    /// The next event of the bytes and records that arrived.
    ///
    /// - Throws: the error that ended the session; again in later calls.
    @inline(__always)
    mutating func next(on loop: UVLoop) throws(TLSError) -> Event {
        while true {
            if let event = try fill(on: loop) { return event }
            do throws(WebSocketViolation) {
                switch try decode() {
                case .needMore: if !input.isExhausted { unsafe grow(in: loop.plaintextBuffer) }
                case .message(let kind, let range): return .message(kind, range)
                case .assembledMessage(let kind): return .assembledMessage(kind)
                case .ping: return .ping
                case .pong: return .pong
                case .close(let code): return .close(code)
                }
            } catch {
                return .violation(error)
            }
        }
    }

    @inline(__always)
    private mutating func decode() throws(WebSocketViolation) -> MessageReader.Event {
        var offset = input.offset
        defer { input.offset = offset }
        return try Inbound.next(of: &reader, in: input, at: &offset)
    }

    @inline(__always)
    private static func next(
        of reader: inout MessageReader, in input: borrowing LinkInput, at offset: inout Int
    ) throws(WebSocketViolation) -> MessageReader.Event {
        try reader.next(in: input.span, at: &offset, mayGrow: input.mayGrow)
    }

    /// The payload of the message of the last event; valid until the next event.
    @_lifetime(borrow self)
    func payload(_ range: Range<Int>) -> Span<UInt8> {
        input.span.extracting(range)
    }

    /// Moves the message of the last event out.
    mutating func takeMessage() -> [UInt8] {
        reader.takeMessage()
    }

    /// Takes back the storage of a message.
    mutating func recycle(_ message: consuming [UInt8]) {
        reader.recycle(consume message)
    }

    /// The payload of the Ping or Pong frame of the last event.
    var controlPayload: [UInt8] { reader.controlPayload }
    /// The text of the Close frame of the last event; empty without one.
    var closeReason: String { reader.closeReason }

    /// Frees the memory that an idle link does not need.
    mutating func releaseIdleState() {
        reader.releaseIdleState()
    }
}
