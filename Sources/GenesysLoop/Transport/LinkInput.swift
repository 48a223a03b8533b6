/// Where the plaintext that is being parsed lies: in the loop's buffer during a read, or in a carry of the link's own
/// when reading was paused in the middle of one.
///
/// The pointer is valid while the link is being read: the loop's buffers are not touched by anyone else during a pass,
/// and the carry is freed only here.
@safe struct LinkInput: ~Copyable {
    private var base: UnsafePointer<UInt8>?
    private(set) var end = 0
    var offset = 0
    private var carry: UnsafeMutableBufferPointer<UInt8>?
    /// Whether more bytes can be put right behind `end`.
    var mayGrow = false

    var isExhausted: Bool { offset >= end }

    deinit {
        if let carry = unsafe carry { unsafe carry.deallocate() }
    }

    /// Parses `bytes` next; they stay where they are until all of them are used or another input is set.
    mutating func set(_ bytes: UnsafeRawBufferPointer, mayGrow: Bool = false) {
        // The loop lends its buffer for the length of the read callback.
        unsafe base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        end = bytes.count
        offset = 0
        self.mayGrow = mayGrow
    }

    /// Moves the unused rest to the start of `buffer`, in which it lies, so that it ends at the end of a cache line.
    mutating func moveRest(to buffer: UnsafeMutableRawBufferPointer) {
        let rest = unsafe UnsafeRawBufferPointer(self.rest)
        let start = -rest.count & 63
        // Both places are inside of the buffer, whose size is of whole lines; they may overlap.
        unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[start..<(start + rest.count)]).copyMemory(from: rest)
        offset = start
        end = start + rest.count
    }

    /// `count` more bytes are behind the last one.
    mutating func grow(by count: Int) {
        end += count
    }

    /// The unused rest.
    var rest: UnsafeBufferPointer<UInt8> {
        unsafe UnsafeBufferPointer(start: base.map { unsafe $0 + offset }, count: end - offset)
    }

    /// The input, whole; offsets and ranges count from its start. It stays in place until another one is set.
    var span: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let whole = unsafe UnsafeBufferPointer(start: base, count: end)
            return unsafe _overrideLifetime(Span(_unsafeElements: whole), borrowing: self)
        }
    }

    /// Goes on with `bytes`, in a buffer of its own.
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

/// What an owner pulls messages from: the input of a link, and the reader that turns it into messages.
///
/// The owner has it for the length of a pull (`Link.withStream`): whatever it does meanwhile, nothing else touches it,
/// and nothing has to be looked up in an object for each message.
@safe struct LinkStream: ~Copyable {
    var input: LinkInput
    var reader: MessageReader
    /// Where the input comes from; nil without TLS. Retained until `deinit`, so that a record is read without a change
    /// of its reference count.
    private let source: Unmanaged<TLSSession>?
    /// Nothing more may be pulled for now: paused, or over.
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

    /// A rest of so many bytes is moved to the start of the buffer even if there is room behind it: its first part is
    /// in the processor's caches, what lies behind is not.
    private static let movableByteCount = 2048

    /// Decrypts the next record right behind the input, which lies in `buffer` and ends in the middle of a message.
    ///
    /// Without room for a whole record, or without a record, the message is to be taken as it is: how a session ends is
    /// met again by the next `read`.
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

    /// The payload of the message that `nextEvent` just named; valid until the next call of it.
    @_lifetime(borrow self)
    func payload(_ range: Range<Int>) -> Span<UInt8> {
        input.span.extracting(range)
    }

    /// Moves the message out that `nextEvent` just named.
    mutating func takeMessage() -> [UInt8] {
        reader.takeMessage()
    }

    /// Gives its storage back.
    mutating func recycle(_ message: consuming [UInt8]) {
        reader.recycle(consume message)
    }

    /// The payload of the Pong frame that `nextEvent` just named.
    var pongPayload: [UInt8] { reader.controlPayload }

    /// The next event in the input; moves the input's offset.
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
