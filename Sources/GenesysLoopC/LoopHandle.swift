internal import GenesysLoop

/// The object behind a `genesys_loop *`. One reference belongs to the C program until `genesys_loop_release`.
@safe final class LoopHandle: Sendable {
    let loop: UVLoop

    init(_ loop: UVLoop) { self.loop = loop }

    /// A new reference for the C program.
    var pointer: OpaquePointer {
        // Released by genesys_loop_release.
        unsafe OpaquePointer(Unmanaged.passRetained(self).toOpaque())
    }

    /// The handle for a pointer of the C program; nil for NULL. The result holds a reference.
    static func of(_ pointer: OpaquePointer?) -> LoopHandle? {
        guard let pointer = unsafe pointer else { return nil }
        return unsafe Unmanaged<LoopHandle>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
    }

    /// The loop for a pointer of the C program; nil for NULL. Traps with a sentence about `call` on another thread.
    static func current(_ pointer: OpaquePointer?, for call: StaticString) -> UVLoop? {
        let loop = unsafe of(pointer)?.loop
        loop?.preconditionCurrent(call)
        return loop
    }
}

/// A function of the C program with its argument, to be called once on a loop's thread.
///
/// The program promises that it may be called on that thread.
@safe struct CallbackOnce: Sendable {
    private let function: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?
    nonisolated(unsafe) private let user: UnsafeMutableRawPointer?

    init(_ function: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?, _ user: UnsafeMutableRawPointer?) {
        unsafe self.function = function
        unsafe self.user = user
    }

    func call() {
        // The program keeps `user` valid until then.
        unsafe function?(user)
    }
}
