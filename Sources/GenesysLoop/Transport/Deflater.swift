internal import CZlib

/// Compresses the messages of one connection (RFC 7692 §6.1, §7.2.1).
///
/// The first message allocates zlib's state, up to 256 KiB. It lives as long as the connection if the window is kept
/// from message to message, otherwise until `releaseIdleState()`.
@safe package struct Deflater: ~Copyable {
    private static let level: Int32 = 6
    private static let memoryLevel: Int32 = 8

    private let windowBits: Int
    private let keepsContext: Bool
    private var stream: ZlibStream?

    /// Creates it without zlib's state.
    ///
    /// - Parameters:
    ///   - windowBits: the size of our window, from 8 to 15.
    ///   - keepsContext: whether the window is kept from message to message.
    package init(windowBits: Int, keepsContext: Bool) {
        self.windowBits = windowBits
        self.keepsContext = keepsContext
    }

    /// Whether zlib's state is allocated.
    package var holdsState: Bool { stream != nil }

    /// Frees zlib's state if the next message does not need it.
    package mutating func releaseIdleState() {
        if !keepsContext { stop() }
    }

    /// Frees zlib's state: no more messages will be compressed.
    package mutating func stop() {
        stream = nil
    }

    /// The compressed payload of a whole message.
    ///
    /// - Returns: nil if the message must be sent uncompressed: it would not become smaller, or there is no memory.
    ///   Every returned message must be sent, because the peer's window follows ours.
    package mutating func deflate(_ message: Span<UInt8>) -> [UInt8]? {
        // zlib writes nothing for an empty message after a flush.
        guard !message.isEmpty, message.count <= Int(Int32.max), let stream = unsafe start() else { return nil }
        let bound = Int(unsafe deflateBound(stream, UInt(message.count))) + 16
        var output: [UInt8] = []
        // zlib reads from the span and writes to the array inside these closures only.
        unsafe message.withUnsafeBufferPointer { input in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            unsafe stream.pointee.avail_in = UInt32(input.count)
            var isFull = true
            while isFull { isFull = unsafe Deflater.step(stream, room: bound, &output) }
            unsafe stream.pointee.next_in = nil
        }
        // §7.2.1: the flush ends with an empty block, of which 00 00 FF FF are removed.
        output.removeLast(4)
        guard !keepsContext else { return output }
        unsafe deflateReset(stream)
        return output.count < message.count ? output : nil
    }

    /// Compresses and flushes; returns whether the space was too small.
    private static func step(
        _ stream: UnsafeMutablePointer<z_stream>, room: Int, _ output: inout [UInt8]
    ) -> Bool {
        output.append(addingCapacity: room) { span in
            unsafe span.withUnsafeMutableBufferPointer { buffer, count in
                // The array lends `room` bytes behind its end for the length of the closure.
                unsafe stream.pointee.next_out = buffer.baseAddress.map { unsafe $0 + count }
                unsafe stream.pointee.avail_out = UInt32(room)
                _ = unsafe CZlib.deflate(stream, Z_SYNC_FLUSH)
                unsafe count += room - Int(stream.pointee.avail_out)
                unsafe stream.pointee.next_out = nil
            }
        }
        return unsafe stream.pointee.avail_out == 0
    }

    /// The stream, allocated at the first call; nil without memory.
    private mutating func start() -> UnsafeMutablePointer<z_stream>? {
        if stream == nil {
            // zlib has no window of 2^8 bytes for raw streams. Runs, which look back one byte, fit into any window.
            let isTiny = windowBits == 8
            let bits = isTiny ? 9 : Int32(windowBits)
            stream = unsafe ZlibStream(end: { unsafe deflateEnd($0) }) { stream in
                unsafe czlib_deflate_init(
                    stream, Deflater.level, bits, Deflater.memoryLevel, isTiny ? Z_RLE : Z_DEFAULT_STRATEGY)
            }
        }
        return unsafe stream?.pointer
    }

}
