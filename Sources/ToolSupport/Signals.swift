#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The signals that end the process, SIGINT and SIGTERM, and the one that must not, SIGPIPE.
@safe package enum Signals {
    /// Lets both signals end the process, and ignores SIGPIPE: a write to a closed pipe is an ordinary error.
    ///
    /// Both work even if the process was started with them ignored or blocked, as background jobs of a script are.
    package static func prepare() {
        _ = signal(SIGPIPE, SIG_IGN)
        _ = signal(SIGINT, SIG_DFL)
        _ = signal(SIGTERM, SIG_DFL)
        var set = ending
        // The set is valid during the call.
        _ = unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    /// Blocks both on the calling thread: they wait for `wait`.
    package static func hold() { block() }

    /// Blocks both while `body` starts a thread, which inherits the mask: only `wait` may get them.
    static func blocked<T>(_ body: () -> T) -> T {
        var before = block()
        // The set is valid during the call.
        defer { _ = unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        return body()
    }

    /// Blocks both and returns the signals that were blocked before.
    @discardableResult private static func block() -> sigset_t {
        var set = ending
        var before = sigset_t()
        // Both sets are valid during the call.
        _ = unsafe pthread_sigmask(SIG_BLOCK, &set, &before)
        return before
    }

    /// Waits for either signal; returns its number.
    package static func wait() -> Int32 {
        var set = ending
        var number: Int32 = 0
        // Both variables are valid during the call.
        while unsafe sigwait(&set, &number) != 0 {}
        return number
    }

    private static var ending: sigset_t {
        var set = sigset_t()
        // The set is valid during each call.
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGINT)
        unsafe sigaddset(&set, SIGTERM)
        return set
    }

    /// Ends the process immediately, with the status of a signal.
    package static func end(by number: Int32) -> Never { _exit(128 + number) }
}
