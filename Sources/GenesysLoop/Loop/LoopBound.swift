/// Carries a value that belongs to a loop's thread through other threads.
///
/// On another thread, send it back: `bound.execute { $0.close() }`. Copies share the value. The value is destroyed on
/// the loop's thread, whichever thread drops the last copy: at once on the loop's thread, otherwise at the loop's next
/// wake-up. After the loop has ended (`run()` returned because nothing was open, `detach(completion:)` took effect, or
/// its `LoopThread` ended), the value is destroyed on the thread that drops it. A `LoopBound` keeps the loop alive.
@safe public struct LoopBound<Value>: @unchecked Sendable {
    private let box: Box

    /// Binds `value` to `loop`.
    ///
    /// - Precondition: called on `loop`'s thread.
    public init(_ value: Value, on loop: UVLoop) {
        loop.preconditionCurrent("LoopBound(_:on:)")
        box = Box(value, loop)
    }

    /// The value.
    ///
    /// - Precondition: called on the loop's thread; traps with a sentence elsewhere, in debug and in release.
    public var value: Value { box.value }

    /// Runs `body` with the value on the loop's thread at its next wake-up, as `UVLoop.execute(_:)` does.
    ///
    /// May be called on any thread. On the loop's own thread, too, it runs after the caller has returned.
    ///
    /// - Parameter body: runs once, in turn with the blocks of `UVLoop.execute(_:)`.
    /// - Returns: what happens to it; `.refused` if the loop has ended for good.
    @discardableResult
    public func execute(_ body: @escaping @Sendable (Value) -> Void) -> UVLoop.ExecuteResult {
        box.loop.execute { [self] in body(value) }
    }

    /// Holds the value in separate memory, so that sending it to the loop moves no reference count between threads.
    @safe private final class Box {
        private let memory: UnsafeMutablePointer<Value>
        let loop: UVLoop

        init(_ value: Value, _ loop: UVLoop) {
            unsafe memory = .allocate(capacity: 1)
            unsafe memory.initialize(to: value)
            self.loop = loop
        }

        var value: Value {
            loop.preconditionCurrent("LoopBound.value")
            // The memory is initialized until `deinit`.
            return unsafe memory.pointee
        }

        deinit {
            // Only the closure has the address from here on.
            nonisolated(unsafe) let memory = unsafe self.memory
            let destroy: @Sendable () -> Void = {
                unsafe memory.deinitialize(count: 1)
                unsafe memory.deallocate()
            }
            // A loop that has ended or is detached has no thread that would do it, so the value is destroyed here.
            if loop.isCurrent || loop.mailbox.post(.disposal(destroy)) == .refused { destroy() }
        }
    }
}
