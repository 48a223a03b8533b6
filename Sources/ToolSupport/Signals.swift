internal import CProcess

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The signals of the process: those that end it, those that request something, and those that must not end it.
@safe package enum Signals {
    /// Each ends the process.
    static let ends = [SIGINT, SIGTERM]
    /// A log was rotated, files have changed, or the terminal is closed.
    package static let hangup = SIGHUP
    /// Requests a line of statistics.
    package static let report = SIGUSR1
    /// A `SignalWatch` handles these.
    static let requests = [hangup, report]
    /// Whether the process was started with SIGHUP ignored, as `nohup` starts one.
    static let startedWithoutHangup = isIgnored(hangup)

    /// Lets the ends end the process, notes the requests, and ignores SIGPIPE and SIGXFSZ: a write to a closed pipe, or
    /// beyond the limit for files, is an ordinary error.
    ///
    /// The ends work even if the process was started with them ignored or blocked, as background jobs of a script are.
    package static func prepare() {
        _ = startedWithoutHangup
        note(requests)
        for number in [SIGPIPE, SIGXFSZ] { _ = signal(number, SIG_IGN) }
        useDefault(of: ends)
        var set = set(of: ends)
        // The set is valid during the call.
        _ = unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    /// Gives the signals their default effect; a blocked one waits for `wait`, which never gets an ignored one on some
    /// systems.
    static func useDefault(of numbers: [Int32]) {
        for number in numbers { _ = signal(number, SIG_DFL) }
    }

    // MARK: - Requests

    /// Makes signals wait for `take`. No thread blocks them.
    static func note(_ numbers: [Int32]) {
        for number in numbers { requests_note(number) }
    }

    /// Gives a request the effect that it had when the process was started, or its default one, also if it has come.
    static func release(_ number: Int32) {
        if number == hangup, startedWithoutHangup { _ = signal(number, SIG_IGN) } else { requests_release(number) }
    }

    /// The program handles no requests: they have their effect again, also if they have come.
    static func releaseRequests() {
        for number in requests { release(number) }
    }

    /// Whether a request has come since the last call.
    static func take(_ number: Int32) -> Bool { requests_take(number) }

    /// Makes the calling thread the one whose `wait` a request ends.
    ///
    /// - Returns: the number that `wait` returns then.
    static func watchRequests() -> Int32 { requests_watch() }

    /// Whether the process ignores a signal, as `nohup` makes it ignore SIGHUP.
    static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        // The variable is valid during the call.
        guard unsafe sigaction(number, nil, &action) == 0 else { return false }
        #if canImport(Darwin)
        let handler = unsafe action.__sigaction_u.__sa_handler
        #else
        let handler = unsafe action.__sigaction_handler.sa_handler
        #endif
        // Both are compared as addresses; neither is called.
        return unsafe unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    // MARK: - Ends

    /// Lets nothing end the process until a `SignalWatch` does: there is something to remove first.
    package static func hold() {
        block(ends)
        note(startedWithoutHangup ? [report] : requests)
    }

    /// Blocks the ends while `body` starts a thread, which inherits the mask: only `wait` may get them.
    static func blocked<T>(_ body: () -> T) -> T {
        var before = block(ends)
        // The set is valid during the call.
        defer { _ = unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        return body()
    }

    /// Blocks signals and returns those that were blocked before.
    @discardableResult private static func block(_ numbers: [Int32]) -> sigset_t {
        var set = set(of: numbers)
        var before = sigset_t()
        // Both sets are valid during the call.
        _ = unsafe pthread_sigmask(SIG_BLOCK, &set, &before)
        return before
    }

    /// Waits for one of the signals, which the calling thread blocks; returns its number.
    static func wait(for numbers: [Int32]) -> Int32 {
        var set = set(of: numbers)
        var number: Int32 = 0
        // Both variables are valid during the call.
        while unsafe sigwait(&set, &number) != 0 {}
        return number
    }

    private static func set(of numbers: [Int32]) -> sigset_t {
        var set = sigset_t()
        // The set is valid during each call.
        unsafe sigemptyset(&set)
        for number in numbers { unsafe sigaddset(&set, number) }
        return set
    }

    /// Ends the process immediately, with the status of a signal.
    package static func end(by number: Int32) -> Never { _exit(128 + number) }
}
