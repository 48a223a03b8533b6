package import CUV

/// The heap memory of one uv handle, owned by libuv from initialization to the close callback.
///
/// `data` points to the wrapper, unretained, and is nil once the wrapper gave the block up. Whoever holds the block
/// calls `close()` exactly once and forgets it; the close callback frees it, counts it out and touches nothing else.
@safe package struct HandleBlock {
    private let pointer: UnsafeMutablePointer<cuv_block>

    /// Allocates a block and initializes the handle in it.
    ///
    /// On failure nothing is left.
    ///
    /// - Parameters:
    ///   - group: whose handle it is; retained until the close callback.
    ///   - kind: the type of the handle; there is memory for no other.
    ///   - initialize: calls `uv_…_init` and returns its code.
    package init<Handle>(
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

    package var handle: UnsafeMutablePointer<uv_handle_t> { unsafe cuv_block_handle(pointer) }
    package var stream: UnsafeMutablePointer<uv_stream_t> { unsafe cuv_block_stream(pointer) }
    package var tcp: UnsafeMutablePointer<uv_tcp_t> { unsafe cuv_block_tcp(pointer) }
    var timer: UnsafeMutablePointer<uv_timer_t> { unsafe cuv_block_timer(pointer) }
    var async: UnsafeMutablePointer<uv_async_t> { unsafe cuv_block_async(pointer) }
    var poll: UnsafeMutablePointer<uv_poll_t> { unsafe cuv_block_poll(pointer) }

    /// Whom the callbacks of the handle reach.
    ///
    /// The wrapper holds the block and closes it before it dies.
    package func setOwner(_ owner: AnyObject) {
        unsafe handle.pointee.data = Unmanaged.passUnretained(owner).toOpaque()
    }

    /// The wrapper behind a callback's handle, retained for the callback; nil when the block was given up.
    package static func owner<Owner: AnyObject>(_ data: UnsafeMutableRawPointer?, as type: Owner.Type) -> Owner? {
        guard let data = unsafe data else { return nil }
        // The wrapper is alive: it sets `data` to nil before it dies.
        return unsafe Unmanaged<Owner>.fromOpaque(data).takeUnretainedValue()
    }

    /// Hands the block to libuv for closing.
    ///
    /// No callback of the handle reaches its wrapper any more. In the child of a `fork()` it is left alone instead:
    /// parent and child share the kernel's poll set, and the parent's socket would fall silent.
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
/// A request's callbacks (`UV_ECANCELED`) have run before.
private func handleDidCloseCallback(_ handle: UnsafeMutablePointer<uv_handle_t>?) {
    guard let handle = unsafe handle, let block = unsafe cuv_block_of(handle) else { return }
    // libuv no longer knows the handle; the group was retained when the block was made.
    let group = unsafe block.pointee.group.map { unsafe Unmanaged<HandleGroup>.fromOpaque($0).takeRetainedValue() }
    unsafe group?.handleWillDie(block)
    unsafe UnsafeMutableRawPointer(block).deallocate()
    group?.handleDidClose()
}

/// Counts the open uv handles of one owner (a channel, a client, an accepted connection).
///
/// A closed handle is open, in this sense, until libuv called its close callback: only then are its memory and its
/// socket gone. Held by the handles' blocks, so it outlives the wrappers as long as needed.
@safe package final class HandleGroup {
    /// The group's handles that libuv still knows.
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

    /// Schedules `pass` on the loop as soon as no handle of the group is left, or at once when none is.
    ///
    /// The pass runs after the last close callback returned, never inside it.
    package func whenEmpty(_ task: any LoopTask) {
        guard openCount == 0 else { return waiting.append(task) }
        unsafe registry.loop?.schedule(task)
    }

    /// Whether the loop was made before a `fork()` that this process is the child of.
    var isInherited: Bool { registry.isInherited }

    func handleDidOpen(_ block: UnsafeMutablePointer<cuv_block>) {
        openCount += 1
        unsafe registry.handleDidOpen(block)
    }

    /// The memory of a handle that libuv forgot is about to be freed.
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
/// It is an object of its own because close callbacks on an adopted loop may run after the `UVLoop` died.
@safe final class HandleRegistry {
    /// Unretained; cleared by the loop's `deinit`.
    unowned(unsafe) var loop: UVLoop?

    /// Handles that libuv still knows.
    private(set) var openCount = 0

    /// Called once each, in order, when the last handle is gone.
    var completions: [() -> Void] = []

    /// Whether handles keep `uv_run` going, those to come included.
    private(set) var keepsRunning = true

    private let forkGeneration = ForkGuard.generation
    /// All blocks, the latest first; each is in the list until it is freed.
    private var first: UnsafeMutablePointer<cuv_block>?

    /// Whether the loop was made before a `fork()` that this process is the child of.
    var isInherited: Bool { forkGeneration != ForkGuard.generation }

    func handleDidOpen(_ block: UnsafeMutablePointer<cuv_block>) {
        openCount += 1
        // Both are blocks of open handles.
        unsafe block.pointee.next = unsafe first
        unsafe first?.pointee.previous = unsafe block
        unsafe first = unsafe block
        if !keepsRunning { unsafe uv_unref(cuv_block_handle(block)) }
    }

    /// Takes a block out of the list; libuv forgot its handle.
    func handleWillDie(_ block: UnsafeMutablePointer<cuv_block>) {
        // The neighbours are in the list, so they are not freed.
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

    /// Lets all handles but `exception` keep `uv_run` going, or lets none.
    func setKeepsRunning(_ keepsRunning: Bool, except exception: HandleBlock) {
        self.keepsRunning = keepsRunning
        unsafe forEachHandle { handle in
            guard unsafe handle != exception.handle else { return }
            if keepsRunning { unsafe uv_ref(handle) } else { unsafe uv_unref(handle) }
        }
    }

    /// How many handles of each kind are open, or wait for their close callback, for example `2 tcp, 1 timer`.
    ///
    /// - Parameter exception: a handle that is not counted.
    func summary(except exception: HandleBlock? = nil) -> String {
        var counts: [String: Int] = [:]
        unsafe forEachHandle { handle in
            guard unsafe handle != exception?.handle, let name = unsafe uv_handle_type_name(handle.pointee.type) else {
                return
            }
            unsafe counts[String(cString: name), default: 0] += 1
        }
        return counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }

    private func forEachHandle(_ body: (UnsafeMutablePointer<uv_handle_t>) -> Void) {
        // Nothing is opened or freed meanwhile.
        var next = unsafe first
        while let block = unsafe next {
            unsafe body(cuv_block_handle(block))
            unsafe next = unsafe block.pointee.next
        }
    }
}
