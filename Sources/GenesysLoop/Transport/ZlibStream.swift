internal import CZlib

/// zlib's state for one direction of one connection.
///
/// zlib keeps the address of its stream, so the stream stays in one place until it is freed with its owner.
@safe final class ZlibStream {
    /// Valid until `deinit`.
    let pointer: UnsafeMutablePointer<z_stream>
    private let end: (UnsafeMutablePointer<z_stream>?) -> Int32

    /// Allocates the state.
    ///
    /// - Parameters:
    ///   - end: `deflateEnd` or `inflateEnd`.
    ///   - initialize: calls zlib's initializer and returns its code.
    /// - Returns: nil without memory, since the arguments are valid.
    init?(
        end: @escaping (UnsafeMutablePointer<z_stream>?) -> Int32,
        initialize: (UnsafeMutablePointer<z_stream>) -> Int32
    ) {
        let pointer = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe pointer.initialize(to: z_stream())
        guard unsafe initialize(pointer) == Z_OK else {
            unsafe pointer.deallocate()
            return nil
        }
        unsafe self.pointer = unsafe pointer
        unsafe self.end = unsafe end
    }

    deinit {
        // Their last use.
        _ = unsafe end(pointer)
        unsafe pointer.deallocate()
    }
}
