internal import CUV

/// A value that several threads share, behind a mutex of libuv.
///
/// The thread sanitizer does not see how the `Mutex` of the standard library waits, and reports a race for every
/// contended lock.
@safe package final class Locked<Value: Sendable>: Sendable {
    // Both are allocated in `init` and freed in `deinit`; the value is accessed only under the mutex.
    private nonisolated(unsafe) let mutex: UnsafeMutablePointer<uv_mutex_t>
    private nonisolated(unsafe) let value: UnsafeMutablePointer<Value>

    /// Puts `value` behind a mutex.
    package init(_ value: Value) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: uv_mutex_t())
        // The memory lives as long as `self`.
        guard unsafe uv_mutex_init(mutex) == 0 else { Misuse.trap("A mutex could not be made: no memory is left.") }
        unsafe self.value = .allocate(capacity: 1)
        unsafe self.value.initialize(to: value)
    }

    deinit {
        // This is the last reference.
        unsafe uv_mutex_destroy(mutex)
        unsafe mutex.deallocate()
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
    }

    /// Runs `body` while no other thread can access the value; `body` must not call `withLock` of the same value.
    ///
    /// May be called on any thread.
    package func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        // The memory lives as long as `self`.
        unsafe uv_mutex_lock(mutex)
        defer { unsafe uv_mutex_unlock(mutex) }
        return unsafe body(&value.pointee)
    }
}
