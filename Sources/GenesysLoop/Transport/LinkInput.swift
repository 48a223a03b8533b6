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
    var mayGrow = false

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

    /// Continues with `bytes`, in a buffer of its own.
    mutating func adopt(_ bytes: [UInt8]) {
        freeCarry()
        guard !bytes.isEmpty else { return }
        // Owned by this value until `freeCarry`.
        let kept = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        _ = unsafe kept.initialize(fromContentsOf: bytes)
        unsafe carry = kept
        unsafe base = UnsafePointer(kept.baseAddress)
        end = kept.count
        offset = 0
    }

    var hasCarry: Bool { unsafe carry != nil && offset < end }

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

/// The source of an owner's pull: the input of a link, and the reader that parses messages from it.
///
/// The owner has exclusive access for the length of a pull (`Link.withStream`), so that no message needs an access to
/// an object.
@safe struct LinkStream: ~Copyable {
    var input: LinkInput
    var reader: MessageReader
    /// The source of the input; nil without TLS. Retained until `deinit`, so that reading a record does not change its
    /// reference count.
    private let source: Unmanaged<TLSSession>?
    /// No more events may be pulled: the link is paused or over.
    var isStopped = false

    init(reader: consuming MessageReader, input: consuming LinkInput = LinkInput(), tls: TLSSession? = nil) {
        self.reader = reader
        self.input = input
        unsafe source = tls.map { unsafe Unmanaged.passRetained($0) }
    }

    deinit {
        // The counterpart of `passRetained`.
        if let source = unsafe source { unsafe source.release() }
    }

    /// Decrypts the next record into `target`.
    @inline(__always)
    func read(into target: UnsafeMutableRawBufferPointer) -> Result<TLSSession.ReadResult, TLSError> {
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
    mutating func grow(in buffer: UnsafeMutableRawBufferPointer) {
        let count = input.end - input.offset
        if count <= LinkStream.movableByteCount || buffer.count - input.end < TLSSession.maxRecordByteCount,
            count <= buffer.count - 2 * TLSSession.maxRecordByteCount
        {
            unsafe input.moveRest(to: buffer)
        }
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[input.end...])
        if !isStopped, room.count >= TLSSession.maxRecordByteCount,
            case .success(.bytes(let count)) = unsafe read(into: room)
        {
            input.grow(by: count)
        } else {
            input.mayGrow = false
        }
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

    /// The payload of the Pong frame of the last event.
    var pongPayload: [UInt8] { reader.controlPayload }

    /// The next event in the input; advances the input's offset.
    @inline(__always)
    mutating func decode() throws(WebSocketViolation) -> MessageReader.Event {
        var offset = input.offset
        defer { input.offset = offset }
        return try LinkStream.next(of: &reader, in: input, at: &offset)
    }

    @inline(__always)
    private static func next(
        of reader: inout MessageReader, in input: borrowing LinkInput, at offset: inout Int
    ) throws(WebSocketViolation) -> MessageReader.Event {
        try reader.next(in: input.span, at: &offset, mayGrow: input.mayGrow)
    }
}
