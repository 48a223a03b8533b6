internal import CUV

/// A failed libuv or socket call: which operation, and the code it returned.
package struct UVError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The operation, such as "connect", "read", "write" or "listen".
    package let operation: String

    /// The negative code of libuv (the negated `errno` on Unix).
    package let code: Int32

    package init(operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    /// Whether the process or the system has no file descriptor left.
    package var isDescriptorShortage: Bool { code == UV_EMFILE.rawValue || code == UV_ENFILE.rawValue }

    /// The code's symbol, such as "ECONNREFUSED".
    package var name: String {
        unsafe Self.text { buffer, count in unsafe uv_err_name_r(code, buffer, count) }
    }

    /// The text of the code, such as "connection refused".
    package var text: String {
        unsafe Self.text { buffer, count in unsafe uv_strerror_r(code, buffer, count) }
    }

    package var description: String { "\(operation): \(name): \(text)" }

    /// Reads the text that a libuv function writes.
    ///
    /// The `_r` forms are used because the others leak for an unknown code.
    private static func text(_ fill: (UnsafeMutablePointer<CChar>, Int) -> UnsafeMutablePointer<CChar>?) -> String {
        // The buffer lives for the call; `fill` ends the text with a zero byte.
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            guard let base = buffer.baseAddress else { return "" }
            unsafe base.pointee = 0
            _ = unsafe fill(base, buffer.count)
            return unsafe String(cString: base)
        }
    }
}
