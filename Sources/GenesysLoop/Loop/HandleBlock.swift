package import CUV

/// The heap memory of one uv handle, owned by libuv from initialization to the close callback.
///
/// `data` points to the wrapper, unretained, and is nil after the wrapper has given up the block. The holder of the
/// block calls `close()` exactly once and forgets the block. The close callback frees it, updates the count and does
/// nothing else.
@safe package struct HandleBlock {
    private let pointer: UnsafeMutablePointer<cuv_block>

    /// Allocates a block and initializes the handle in it.
    ///
    /// On failure nothing is left.
    ///
    /// - Parameters:
    ///   - group: the group of the handle, retained until the close callback.
    ///   - kind: the type of the handle. The block has memory for no larger one.
    ///   - initialize: calls `uv_…_init` and returns its code.
    package init<Handle>(
        group: HandleGroup, kind: Handle.Type, operation: String,
        _ initialize: (UnsafeMutablePointer<cuv_block>) -> Int32
    ) throws(UVError) {
        let byteCount = cuv_block_size(MemoryLayout<Handle>.size)
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: byteCount, alignment: unsafe MemoryLayout<cuv_block>.alignment)
        // Zeroed as by calloc. The type of `pointer` reaches beyond the end, but only the handle's own kind is
        // accessed.
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        let pointer = unsafe memory.bindMemory(to: cuv_block.self, capacity: 1)
        let code = unsafe initialize(pointer)
        guard code == 0 else {
            // After a failed `uv_…_init` the loop does not know the handle, so the memory is still ours.
            unsafe memory.deallocate()
            throw UVError(operation: operation, code: code)
        }
        unsafe self.pointer = unsafe pointer
        // Released in the close callback.
        unsafe pointer.pointee.group = Unmanaged.passRetained(group).toOpaque()
        unsafe group.handleDidOpen(pointer)
    }

    /// The block of a stopped timer.
    static func timer(on loop: UVLoop, group: HandleGroup) -> HandleBlock {
        do throws(UVError) {
            return try unsafe HandleBlock(group: group, kind: uv_timer_t.self, operation: "uv_timer_init") { block in
                unsafe uv_timer_init(loop.raw, cuv_block_timer(block))
            }
        } catch {
            preconditionFailure("uv_timer_init, which cannot fail, failed: \(error)")
        }
    }

    package var handle: UnsafeMutablePointer<uv_handle_t> { unsafe cuv_block_handle(pointer) }
    package var stream: UnsafeMutablePointer<uv_stream_t> { unsafe cuv_block_stream(pointer) }
    package var tcp: UnsafeMutablePointer<uv_tcp_t> { unsafe cuv_block_tcp(pointer) }
    var timer: UnsafeMutablePointer<uv_timer_t> { unsafe cuv_block_timer(pointer) }
    var idle: UnsafeMutablePointer<uv_idle_t> { unsafe cuv_block_idle(pointer) }
    var check: UnsafeMutablePointer<uv_check_t> { unsafe cuv_block_check(pointer) }
    var async: UnsafeMutablePointer<uv_async_t> { unsafe cuv_block_async(pointer) }
    var poll: UnsafeMutablePointer<uv_poll_t> { unsafe cuv_block_poll(pointer) }

    /// Sets the object that the callbacks of the handle reach.
    ///
    /// The owner holds the block and closes it before it is destroyed.
    package func setOwner(_ owner: AnyObject) {
        unsafe handle.pointee.data = Unmanaged.passUnretained(owner).toOpaque()
    }

    /// Lets the handle never keep `uv_run` running.
    func neverKeepRunning() {
        // The holder's block is open.
        unsafe pointer.pointee.is_background = 1
        unsafe uv_unref(handle)
    }

    /// The owner of a callback's handle, retained for the callback, or nil if it has given up the block.
    package static func owner<Owner: AnyObject>(_ data: UnsafeMutableRawPointer?, as type: Owner.Type) -> Owner? {
        guard let data = unsafe data else { return nil }
        // The owner is alive: it sets `data` to nil before it is destroyed.
        return unsafe Unmanaged<Owner>.fromOpaque(data).takeUnretainedValue()
    }

    /// Hands the block to libuv for closing.
    ///
    /// No callback of the handle reaches its owner afterwards. In the child of a `fork()` the handle stays open: parent
    /// and child share the kernel's poll set, and the parent's socket would fall silent.
    package func close() {
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
/// The callbacks of requests have run before, with `UV_ECANCELED`.
private func handleDidCloseCallback(_ handle: UnsafeMutablePointer<uv_handle_t>?) {
    guard let handle = unsafe handle, let block = unsafe cuv_block_of(handle) else { return }
    // libuv no longer knows the handle; the group was retained when the block was created.
    let group = unsafe block.pointee.group.map { unsafe Unmanaged<HandleGroup>.fromOpaque($0).takeRetainedValue() }
    unsafe group?.handleWillDie(block)
    unsafe UnsafeMutableRawPointer(block).deallocate()
    group?.handleDidClose()
}

/// Counts the open uv handles of one owner (a channel, a client, an accepted connection).
///
/// A handle counts as open until libuv calls its close callback, because its memory and its socket exist until then.
/// The handles' blocks hold the group, so it may outlive the wrappers.
@safe package final class HandleGroup {
    /// How many handles of the group libuv still knows.
    package private(set) var openCount = 0

    private let registry: HandleRegistry
    private var waiting: [any LoopTask] = []

    /// Creates an empty group on `loop`.
    package convenience init(loop: UVLoop) {
        self.init(registry: loop.registry)
    }

    init(registry: HandleRegistry) {
        self.registry = registry
    }

    /// Schedules `task` on the loop as soon as no handle of the group is open, or at once if none is.
    ///
    /// The task runs after the last close callback returned, never inside it.
    package func whenEmpty(_ task: any LoopTask) {
        guard openCount == 0 else { return waiting.append(task) }
        unsafe registry.loop?.schedule(task)
    }

    /// Whether this process is the child of a `fork()` after the loop was created.
    var isInherited: Bool { registry.isInherited }

    func handleDidOpen(_ block: UnsafeMutablePointer<cuv_block>) {
        openCount += 1
        unsafe registry.handleDidOpen(block)
    }

    /// libuv has closed a handle, and its memory is about to be freed.
    func handleWillDie(_ block: UnsafeMutablePointer<cuv_block>) {
        unsafe registry.handleWillDie(block)
    }

    func handleDidClose() {
        openCount -= 1
        if openCount == 0 {
            let tasks = waiting
            waiting = []
            for task in tasks { unsafe registry.loop?.schedule(task) }
        }
        registry.handleDidClose()
    }
}

/// The uv handles of one event loop, from their initialization to their close callback.
///
/// It is a separate object because close callbacks on an adopted loop may run after the `UVLoop` was destroyed.
@safe final class HandleRegistry {
    /// Unretained; the loop's `deinit` clears it.
    unowned(unsafe) var loop: UVLoop?

    /// How many handles libuv still knows.
    private(set) var openCount = 0

    /// Called once each, in order, when the last handle is closed.
    var completions: [() -> Void] = []

    /// Whether handles, including later ones, keep `uv_run` running.
    private(set) var keepsRunning = true

    private let forkGeneration = ForkGuard.generation
    /// The list of all blocks, the latest first. Each is in the list until it is freed.
    private var first: UnsafeMutablePointer<cuv_block>?

    /// Whether this process is the child of a `fork()` after the loop was created.
    var isInherited: Bool { forkGeneration != ForkGuard.generation }

    func handleDidOpen(_ block: UnsafeMutablePointer<cuv_block>) {
        openCount += 1
        // Both are blocks of open handles.
        unsafe block.pointee.next = unsafe first
        unsafe first?.pointee.previous = unsafe block
        unsafe first = unsafe block
        if !keepsRunning { unsafe uv_unref(cuv_block_handle(block)) }
    }

    /// Removes a block from the list. libuv has closed its handle.
    func handleWillDie(_ block: UnsafeMutablePointer<cuv_block>) {
        // The neighbors are in the list, so they are not freed.
        let (next, previous) = unsafe (block.pointee.next, block.pointee.previous)
        unsafe next?.pointee.previous = unsafe previous
        unsafe previous?.pointee.next = unsafe next
        if unsafe previous == nil { unsafe first = unsafe next }
    }

    func handleDidClose() {
        openCount -= 1
        unsafe loop?.considerDetaching()
        guard openCount == 0 else { return }
        let completions = self.completions
        self.completions = []
        for completion in completions { completion() }
    }

    /// Sets whether the handles, except `exception` and those that never do, keep `uv_run` running.
    func setKeepsRunning(_ keepsRunning: Bool, except exception: HandleBlock) {
        self.keepsRunning = keepsRunning
        unsafe forEachHandle { handle in
            // Each is the handle of a block.
            guard unsafe handle != exception.handle, unsafe cuv_block_of(handle)?.pointee.is_background == 0 else {
                return
            }
            if keepsRunning { unsafe uv_ref(handle) } else { unsafe uv_unref(handle) }
        }
    }

    /// The number of handles of each kind that are open or wait for their close callback, for example `2 tcp, 1 timer`.
    ///
    /// - Parameter exception: a handle that does not count.
    func summary(except exception: HandleBlock? = nil) -> String {
        var counts: [String: Int] = [:]
        unsafe forEachHandle { handle in
            // The caller's handle is open.
            let type = unsafe handle.pointee.type
            // Two handles serve all timers (see `DueTimers`).
            guard unsafe handle != exception?.handle, type != UV_IDLE, type != UV_CHECK,
                let name = unsafe uv_handle_type_name(type)
            else { return }
            unsafe counts[String(cString: name), default: 0] += 1
        }
        return counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }

    private func forEachHandle(_ body: (UnsafeMutablePointer<uv_handle_t>) -> Void) {
        // Nothing is opened or freed during the walk.
        var next = unsafe first
        while let block = unsafe next {
            unsafe body(cuv_block_handle(block))
            unsafe next = unsafe block.pointee.next
        }
    }
}
