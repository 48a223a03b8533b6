internal import CUV

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
