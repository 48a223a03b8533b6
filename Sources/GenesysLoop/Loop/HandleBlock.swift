internal import CUV

/// The heap memory of one uv handle, owned by libuv from initialization to the close callback.
///
/// `data` points to the wrapper, unretained, and is nil once the wrapper gave the block up. Whoever holds the block
/// calls `close()` exactly once and forgets it; the close callback frees it, counts it out and touches nothing else.
@safe struct HandleBlock {
    private let pointer: UnsafeMutablePointer<cuv_block>

    /// Allocates a block and initializes the handle in it.
    ///
    /// On failure nothing is left.
    ///
    /// - Parameters:
    ///   - group: whose handle it is; retained until the close callback.
    ///   - kind: the type of the handle; there is memory for no other.
    ///   - initialize: calls `uv_…_init` and returns its code.
    init<Handle>(
        group: HandleGroup, kind: Handle.Type, operation: String,
        _ initialize: (UnsafeMutablePointer<cuv_block>) -> Int32
    ) throws(UVError) {
        let byteCount = cuv_block_size(MemoryLayout<Handle>.size)
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: byteCount, alignment: unsafe MemoryLayout<cuv_block>.alignment)
        // Zero, as C would have it; `pointer` reaches beyond the end, but nothing touches what is of another kind.
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        let pointer = unsafe memory.bindMemory(to: cuv_block.self, capacity: 1)
        let code = unsafe initialize(pointer)
        guard code == 0 else {
            // A failed `uv_…_init` leaves the handle unknown to the loop, so the memory is still ours.
            unsafe memory.deallocate()
            throw UVError(operation: operation, code: code)
        }
        unsafe self.pointer = unsafe pointer
        // Given back in the close callback.
        unsafe pointer.pointee.group = Unmanaged.passRetained(group).toOpaque()
        unsafe group.handleDidOpen(pointer)
    }

    var handle: UnsafeMutablePointer<uv_handle_t> { unsafe cuv_block_handle(pointer) }
    var stream: UnsafeMutablePointer<uv_stream_t> { unsafe cuv_block_stream(pointer) }
    var tcp: UnsafeMutablePointer<uv_tcp_t> { unsafe cuv_block_tcp(pointer) }
    var timer: UnsafeMutablePointer<uv_timer_t> { unsafe cuv_block_timer(pointer) }
    var async: UnsafeMutablePointer<uv_async_t> { unsafe cuv_block_async(pointer) }
    var poll: UnsafeMutablePointer<uv_poll_t> { unsafe cuv_block_poll(pointer) }

    /// Whom the callbacks of the handle reach.
    ///
    /// The wrapper holds the block and closes it before it dies.
    func setOwner(_ owner: AnyObject) {
        unsafe handle.pointee.data = Unmanaged.passUnretained(owner).toOpaque()
    }

    /// The wrapper behind a callback's handle, retained for the callback; nil when the block was given up.
    static func owner<Owner: AnyObject>(_ data: UnsafeMutableRawPointer?, as type: Owner.Type) -> Owner? {
        guard let data = unsafe data else { return nil }
        // The wrapper is alive: it sets `data` to nil before it dies.
        return unsafe Unmanaged<Owner>.fromOpaque(data).takeUnretainedValue()
    }

    /// Hands the block to libuv for closing.
    ///
    /// No callback of the handle reaches its wrapper any more. In the child of a `fork()` it is left alone instead: parent
    /// and child share the kernel's poll set, and the parent's socket would fall silent.
    func close() {
        unsafe handle.pointee.data = nil
        // The group is retained until the close callback.
        let group = unsafe pointer.pointee.group.map {
            unsafe Unmanaged<HandleGroup>.fromOpaque($0).takeUnretainedValue()
        }
        guard group?.isInherited != true else { return }
        unsafe uv_close(handle, handleDidCloseCallback)
    }
}

/// Frees the block.
///
/// A request's callbacks (`UV_ECANCELED`) have run before.
private func handleDidCloseCallback(_ handle: UnsafeMutablePointer<uv_handle_t>?) {
    guard let handle = unsafe handle, let block = unsafe cuv_block_of(handle) else { return }
    // libuv no longer knows the handle; the group was retained when the block was made.
    let group = unsafe block.pointee.group.map { unsafe Unmanaged<HandleGroup>.fromOpaque($0).takeRetainedValue() }
    unsafe group?.handleWillDie(block)
    unsafe UnsafeMutableRawPointer(block).deallocate()
    group?.handleDidClose()
}
