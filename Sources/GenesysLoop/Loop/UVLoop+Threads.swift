internal import CUV
internal import Synchronization

extension UVLoop {
    /// Whether the calling thread is the loop's thread.
    ///
    /// May be called on any thread.
    public var isCurrent: Bool {
        thread.load(ordering: .acquiring) == UInt(cuv_current_thread())
    }

    /// Makes the calling thread the loop's thread.
    ///
    /// Needed when the thread that runs an adopted loop opens channels before the loop's first callback and is not
    /// the one that called `init(adopting:)`, or when a loop is handed over to another thread while it is not running.
    /// The former thread must not use the loop any more.
    public func bindToCurrentThread() {
        checkFork()
        if isPolling, !isCurrent {
            Misuse.trap("UVLoop.bindToCurrentThread(): the loop is running on another thread.")
        }
        isThreadAssumed = false
        thread.store(UInt(cuv_current_thread()), ordering: .releasing)
    }

    /// Traps with a sentence when the caller is not on the loop's thread, in debug and in release.
    package func preconditionCurrent(_ what: StaticString) {
        checkFork()
        guard isCurrent else {
            Misuse.trap("\(what) was called on a thread that is not its event loop's; use UVLoop.execute(_:).")
        }
    }

    func checkFork() {
        guard !ledger.isInherited else {
            Misuse.trap("An event loop made before fork() was used in the child process.")
        }
    }

    /// The monotonic and the civil clock, read now (libuv's cached loop time is neither exact nor fresh).
    package var now: ClockReading {
        var seconds: Int64 = 0
        var nanoseconds: Int32 = 0
        // Both variables live for the call.
        unsafe cuv_wall_clock(&seconds, &nanoseconds)
        return ClockReading(
            instant: Instant(nanoseconds: Int64(clamping: uv_hrtime())),
            wall: WallTime(seconds: seconds, nanoseconds: nanoseconds))
    }
}
