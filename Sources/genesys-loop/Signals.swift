#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// SIGINT and SIGTERM, taken by a thread of their own: the first one asks for a clean end, the second one ends at once.
@safe enum Signals {
    /// Blocks both signals, so that only `watch` gets them, and ignores SIGPIPE: a write to a closed pipe is an error
    /// like others.
    ///
    /// Both count even when the process was started with them ignored, as background jobs of a script are. Must run
    /// before any thread is started.
    static func prepare() {
        _ = signal(SIGPIPE, SIG_IGN)
        _ = signal(SIGINT, SIG_DFL)
        _ = signal(SIGTERM, SIG_DFL)
        var set = ending
        // The set is lent for the call.
        _ = unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Starts to watch.
    ///
    /// - Parameters:
    ///   - first: called on the thread, with the first signal.
    ///   - last: called on the thread before a second one ends the process with status 128 + its number.
    static func watch(
        first: @escaping @Sendable () -> Void, last: @escaping @Sendable () -> Void = {}
    ) throws(SystemCalls.Failure) {
        try DetachedThread.start {
            _ = next()
            first()
            let number = next()
            last()
            _exit(128 + number)
        }
    }

    private static func next() -> Int32 {
        var set = ending
        var number: Int32 = 0
        // Both variables are lent for the call.
        while unsafe sigwait(&set, &number) != 0 {}
        return number
    }

    private static var ending: sigset_t {
        var set = sigset_t()
        // The set is lent for each call.
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGINT)
        unsafe sigaddset(&set, SIGTERM)
        return set
    }
}
