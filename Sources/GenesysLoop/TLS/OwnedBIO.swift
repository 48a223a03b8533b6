internal import COpenSSL

/// An OpenSSL byte stream that is freed with its owner.
@safe struct OwnedBIO: ~Copyable {
    /// Valid as long as `self`.
    let pointer: OpaquePointer

    /// A stream that collects what is written to it.
    init() throws(TLSError) {
        guard let pointer = unsafe BIO_new(BIO_s_mem()) else { throw .draining("BIO_new") }
        unsafe self.pointer = unsafe pointer
    }

    /// A stream that holds a copy of `bytes`, to read.
    static func holding(_ bytes: [UInt8]) throws(TLSError) -> OwnedBIO {
        let stream = try OwnedBIO()
        // BIO_write copies; the array lives during the call.
        let written = unsafe bytes.withUnsafeBytes { unsafe BIO_write(stream.pointer, $0.baseAddress, Int32($0.count)) }
        guard bytes.isEmpty || written == Int32(bytes.count) else { throw .draining("BIO_write") }
        return stream
    }

    /// A file, to read.
    init?(path: String) {
        guard let pointer = unsafe BIO_new_file(path, "rb") else { return nil }
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        unsafe BIO_free_all(pointer)
    }

    /// Reads to the end, or to `maxByteCount`; nil if reading failed, with the reason in the error queue.
    func readAll(maxByteCount: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count <= maxByteCount {
            var count: Int32 = 0
            let chunk = unsafe [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, initialized in
                // BIO_read writes at most `buffer.count` bytes into the new array's storage.
                count = unsafe BIO_read(pointer, buffer.baseAddress, Int32(buffer.count))
                initialized = max(0, Int(count))
            }
            bytes += chunk
            // An empty memory stream answers -1 and "retry", a file at its end 0.
            let isAtEnd = unsafe count == 0 || BIO_test_flags(pointer, BIO_FLAGS_SHOULD_RETRY) != 0
            if count <= 0 { return isAtEnd ? bytes : nil }
        }
        return bytes
    }
}
