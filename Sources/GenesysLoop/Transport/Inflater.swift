internal import CZlib

/// Decompresses the messages of one connection (RFC 7692 §6.2, §7.2.2).
///
/// zlib's state, about 7 KiB and the window, is made with the first piece. It lives as long as the connection if the
/// window is kept from message to message, otherwise until `releaseIdleState()`.
@safe package struct Inflater: ~Copyable {
    /// What the compressor takes off the end of every message (RFC 7692 §7.2.1).
    private static let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]
    private static let leastStepByteCount = 1_024

    private let windowBits: Int
    private let keepsContext: Bool
    private var stream: ZlibStream?
    /// A final block has ended the stream, and nothing came after it.
    private var isAtFinalBlock = false
    private var isMidMessage = false

    /// Creates it without any state.
    ///
    /// - Parameters:
    ///   - windowBits: that of the sender's window, from 8 to 15.
    ///   - keepsContext: whether the window is kept from message to message.
    package init(windowBits: Int, keepsContext: Bool) {
        self.windowBits = windowBits
        self.keepsContext = keepsContext
    }

    /// Whether zlib's state is there.
    package var holdsState: Bool { stream != nil }

    /// Lets go of zlib's state where the next message does not need it.
    package mutating func releaseIdleState() {
        if !keepsContext && !isMidMessage { stop() }
    }

    /// Lets go of zlib's state: nothing will be decompressed any more.
    package mutating func stop() {
        stream = nil
    }

    /// Appends what a piece of a message decompresses to.
    ///
    /// - Parameters:
    ///   - piece: the next bytes of the message; all of them are used.
    ///   - isLast: the message ends with them.
    ///   - message: what came of the pieces before.
    ///   - limit: the greatest size of the message. It is exceeded by one byte at most, however much the piece would
    ///     expand to.
    /// - Throws: `.messageTooLarge`, `.invalidCompressedData`. Nothing more can be decompressed then.
    package mutating func inflate(
        _ piece: Span<UInt8>, isLast: Bool, into message: inout [UInt8], limit: Int
    ) throws(WebSocketViolation) {
        let stream = unsafe try start()
        isMidMessage = true
        unsafe try feed(stream, piece, &message, limit)
        guard isLast else { return }
        // §7.2.3.5: a message may end with a final block; then nothing was taken off it.
        if !isAtFinalBlock { unsafe try feed(stream, Inflater.tail.span, &message, limit) }
        // 128: what was decoded last is the end of a block. A message that ends elsewhere was cut off.
        guard unsafe isAtFinalBlock || stream.pointee.data_type & 128 != 0 else { throw .invalidCompressedData }
        isMidMessage = false
        if isAtFinalBlock { unsafe restart(stream, keepingWindow: keepsContext) }
        if !keepsContext { unsafe restart(stream, keepingWindow: false) }
    }

    /// The stream, made if it is not there.
    private mutating func start() throws(WebSocketViolation) -> UnsafeMutablePointer<z_stream> {
        if let pointer = unsafe stream?.pointer { return unsafe pointer }
        let bits = Int32(windowBits)
        stream = unsafe ZlibStream(end: { unsafe inflateEnd($0) }) { unsafe czlib_inflate_init($0, bits) }
        isAtFinalBlock = false
        // Without memory, what is received is too large for us.
        guard let pointer = unsafe stream?.pointer else { throw .messageTooLarge }
        return unsafe pointer
    }

    private mutating func feed(
        _ stream: UnsafeMutablePointer<z_stream>, _ piece: Span<UInt8>, _ message: inout [UInt8], _ limit: Int
    ) throws(WebSocketViolation) {
        // zlib reads from the span inside this closure only; `next_in` is cleared at its end.
        unsafe try piece.withUnsafeBufferPointer { (input) throws(WebSocketViolation) in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            unsafe stream.pointee.avail_in = UInt32(input.count)
            defer {
                unsafe stream.pointee.next_in = nil
                unsafe stream.pointee.avail_in = 0
            }
            var isFull = false
            while unsafe stream.pointee.avail_in > 0 || isFull {
                if isAtFinalBlock { unsafe restart(stream, keepingWindow: true) }
                isFull = unsafe try step(stream, &message, limit)
            }
        }
    }

    /// Decompresses until the input is used up, or until the room made for the output is, which it returns.
    private mutating func step(
        _ stream: UnsafeMutablePointer<z_stream>, _ message: inout [UInt8], _ limit: Int
    ) throws(WebSocketViolation) -> Bool {
        // One byte beyond the limit tells a message that just fits from one that does not.
        let room = min(max(Inflater.leastStepByteCount, message.count), limit - message.count + 1, Int(Int32.max))
        var status = Z_OK
        message.append(addingCapacity: room) { output in
            unsafe output.withUnsafeMutableBufferPointer { buffer, count in
                // The array lends `room` bytes behind its end for the length of the closure.
                unsafe stream.pointee.next_out = buffer.baseAddress.map { unsafe $0 + count }
                unsafe stream.pointee.avail_out = UInt32(room)
                status = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
                unsafe count += room - Int(stream.pointee.avail_out)
                unsafe stream.pointee.next_out = nil
            }
        }
        if message.count > limit { throw .messageTooLarge }
        switch status {
        case Z_OK, Z_BUF_ERROR:
            return unsafe stream.pointee.avail_out == 0
        case Z_STREAM_END:
            isAtFinalBlock = true
            return false
        case Z_MEM_ERROR:
            throw .messageTooLarge
        default:
            throw .invalidCompressedData
        }
    }

    /// Makes the stream ready for what follows a final block, or a message without context.
    private mutating func restart(_ stream: UnsafeMutablePointer<z_stream>, keepingWindow: Bool) {
        isAtFinalBlock = false
        guard keepingWindow else {
            unsafe inflateReset(stream)
            return
        }
        // zlib copies the window out and in again; both calls end with it.
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32_768) { window in
            var count: UInt32 = 0
            unsafe inflateGetDictionary(stream, window.baseAddress, &count)
            unsafe inflateReset(stream)
            unsafe inflateSetDictionary(stream, window.baseAddress, count)
        }
    }
}
