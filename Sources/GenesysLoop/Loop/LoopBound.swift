/// Carries a value that belongs to a loop's thread through other threads.
///
/// Elsewhere, send it back: `loop.execute { bound.value.close() }`. Copies share the value. Whichever thread drops the
/// last copy, the value is destroyed on the loop's thread: at once when dropped there, at the loop's next wake-up
/// otherwise. It keeps the loop alive.
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

    /// Holds the value in memory of its own, so that handing it to the loop moves no reference count between threads.
    @safe private final class Box {
        private let memory: UnsafeMutablePointer<Value>
        private let loop: UVLoop

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
            // The address moves into the closure; nobody else knows it any more.
            nonisolated(unsafe) let memory = unsafe self.memory
            let destroy: @Sendable () -> Void = {
                unsafe memory.deinitialize(count: 1)
                unsafe memory.deallocate()
            }
            // A detached loop has no thread any more, so the value may die here.
            if loop.isCurrent || !loop.mailbox.post(.disposal(destroy)) { destroy() }
        }
    }
}
