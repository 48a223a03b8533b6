internal import CZlib

/// Decompresses the messages of one connection (RFC 7692 §6.2, §7.2.2).
///
/// The first piece allocates zlib's state, about 7 KiB and the window. It lives as long as the connection if the window
/// is kept from message to message, otherwise until `releaseIdleState()`.
@safe package struct Inflater: ~Copyable {
    /// What the compressor removes from the end of every message (RFC 7692 §7.2.1).
    private static let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]
    private static let leastStepByteCount = 1_024

    private let windowBits: Int
    private let keepsContext: Bool
    private var stream: ZlibStream?
    /// A final block has ended the stream, and no input followed.
    private var isAtFinalBlock = false
    private var isMidMessage = false

    /// Creates it without zlib's state.
    ///
    /// - Parameters:
    ///   - windowBits: the size of the sender's window, from 8 to 15.
    ///   - keepsContext: whether the window is kept from message to message.
    package init(windowBits: Int, keepsContext: Bool) {
        self.windowBits = windowBits
        self.keepsContext = keepsContext
    }

    /// Whether zlib's state is allocated.
    package var holdsState: Bool { stream != nil }

    /// Frees zlib's state if the next message does not need it.
    package mutating func releaseIdleState() {
        if !keepsContext && !isMidMessage { stop() }
    }

    /// Frees zlib's state: no more messages will be decompressed.
    package mutating func stop() {
        stream = nil
    }

    /// Decompresses a piece of a message and appends the result.
    ///
    /// - Parameters:
    ///   - piece: the next bytes of the message; all of them are consumed.
    ///   - isLast: the message ends with this piece.
    ///   - message: the result of the earlier pieces.
    ///   - limit: the maximum size of the message. The result exceeds it by at most one byte, however far the piece
    ///     expands.
    /// - Throws: `.messageTooLarge`, `.invalidCompressedData`. Decompression cannot continue after an error.
    package mutating func inflate(
        _ piece: Span<UInt8>, isLast: Bool, into message: inout [UInt8], limit: Int
    ) throws(WebSocketViolation) {
        let stream = unsafe try start()
        isMidMessage = true
        unsafe try feed(stream, piece, &message, limit)
        guard isLast else { return }
        // §7.2.3.5: a message may end with a final block; then nothing was removed from it.
        if !isAtFinalBlock { unsafe try feed(stream, Inflater.tail.span, &message, limit) }
        // 128: the last decoded symbol was the end of a block. A message that ends elsewhere is truncated.
        guard unsafe isAtFinalBlock || stream.pointee.data_type & 128 != 0 else { throw .invalidCompressedData }
        isMidMessage = false
        if isAtFinalBlock { unsafe restart(stream, keepingWindow: keepsContext) }
        if !keepsContext { unsafe restart(stream, keepingWindow: false) }
    }

    /// The stream, allocated at the first call.
    private mutating func start() throws(WebSocketViolation) -> UnsafeMutablePointer<z_stream> {
        if let pointer = unsafe stream?.pointer { return unsafe pointer }
        let bits = Int32(windowBits)
        stream = unsafe ZlibStream(end: { unsafe inflateEnd($0) }) { unsafe czlib_inflate_init($0, bits) }
        isAtFinalBlock = false
        // Without memory, the message is too large for this process.
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

    /// Decompresses until the input is consumed, or until the output space is full; returns whether it is full.
    private mutating func step(
        _ stream: UnsafeMutablePointer<z_stream>, _ message: inout [UInt8], _ limit: Int
    ) throws(WebSocketViolation) -> Bool {
        // One byte beyond the limit distinguishes a message that just fits from one that does not.
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

    /// Resets the stream after a final block, or after a message without context.
    private mutating func restart(_ stream: UnsafeMutablePointer<z_stream>, keepingWindow: Bool) {
        isAtFinalBlock = false
        guard keepingWindow else {
            unsafe inflateReset(stream)
            return
        }
        // zlib copies the window out and in again; it does not keep the buffer.
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32_768) { window in
            var count: UInt32 = 0
            unsafe inflateGetDictionary(stream, window.baseAddress, &count)
            unsafe inflateReset(stream)
            unsafe inflateSetDictionary(stream, window.baseAddress, count)
        }
    }
}
