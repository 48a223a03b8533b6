import GenesysLoop

/// Handles the signals on a thread of its own: the first one requests a clean end, the second one ends the process
/// immediately with status 128 + its number.
///
/// Before a watch exists, a signal ends the process by default, so code that runs until then may block.
package final class SignalWatch: Sendable {
    /// What the signals cause; each closure is called on the watching thread.
    package struct Handlers: Sendable {
        /// The first signal that ends the process.
        package var first: @Sendable () -> Void
        /// The one that ends it immediately.
        package var last: @Sendable () -> Void = {}
        /// SIGHUP, unless it is the first signal because the terminal is closed.
        package var hangup: @Sendable () -> Void = {}
        /// SIGUSR1.
        package var report: @Sendable () -> Void = {}
    }

    private let handlers: Locked<Handlers?>
    /// Nil if SIGHUP and SIGUSR1 end the process immediately.
    private let rule: HangupRule?

    /// Starts to watch for a program that SIGHUP and SIGUSR1 end immediately.
    ///
    /// The calling thread, and threads that it starts, no longer get SIGINT and SIGTERM.
    package convenience init(
        first: @escaping @Sendable () -> Void, last: @escaping @Sendable () -> Void = {}
    ) throws(SystemCalls.Failure) {
        Signals.hold()
        try self.init(Handlers(first: first, last: last), nil)
    }

    /// Starts to watch for a program that handles SIGHUP and SIGUSR1.
    package convenience init(
        _ rule: HangupRule, first: @escaping @Sendable () -> Void, hangup: @escaping @Sendable () -> Void,
        report: @escaping @Sendable () -> Void
    ) throws(SystemCalls.Failure) {
        Signals.hold()
        Signals.note(Signals.requests)
        try self.init(Handlers(first: first, hangup: hangup, report: report), rule)
    }

    private init(_ handlers: Handlers, _ rule: HangupRule?) throws(SystemCalls.Failure) {
        self.handlers = Locked(handlers)
        self.rule = rule
        Signals.useDefault(of: Signals.ends)
        try DetachedThread.start { [self] in
            let request = Signals.watchRequests()
            _ = nextEnd(request, isFirst: true)
            StandardError.interrupt()
            current?.first()
            endNow(by: nextEnd(request, isFirst: false))
        }
    }

    /// Releases the handlers: a first signal then only shortens the wait for standard error.
    package func end() {
        handlers.withLock { $0 = nil }
    }

    private var current: Handlers? { handlers.withLock { $0 } }

    private func endNow(by number: Int32) -> Never {
        current?.last()
        Signals.end(by: number)
    }

    /// Handles requests until a signal comes that ends the process.
    ///
    /// - Parameters:
    ///   - request: what stands for a request that has come.
    ///   - isFirst: whether a closed terminal counts as such a signal. It can cause several of SIGHUP, which must not
    ///     look like an impatient user.
    private func nextEnd(_ request: Int32, isFirst: Bool) -> Int32 {
        while true {
            if Signals.take(Signals.hangup) {
                guard let rule else { endNow(by: Signals.hangup) }
                if !rule.isEnd { current?.hangup() } else if isFirst { return Signals.hangup }
            }
            if Signals.take(Signals.report) {
                guard rule != nil else { endNow(by: Signals.report) }
                current?.report()
            }
            let number = Signals.wait(for: Signals.ends + [request])
            if number != request { return number }
        }
    }
}
