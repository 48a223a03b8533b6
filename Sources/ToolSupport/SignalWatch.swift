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
        /// The second one, before it ends the process.
        package var last: @Sendable () -> Void = {}
        /// SIGHUP, unless it is the first signal because the terminal is closed.
        package var hangup: @Sendable () -> Void = {}
        /// SIGUSR1.
        package var report: @Sendable () -> Void = {}
    }

    private let handlers: Locked<Handlers?>

    /// Starts to watch SIGINT and SIGTERM. The calling thread, and threads that it starts, no longer get the signals.
    package convenience init(
        first: @escaping @Sendable () -> Void, last: @escaping @Sendable () -> Void = {}
    ) throws(SystemCalls.Failure) {
        try self.init(Handlers(first: first, last: last), watching: Signals.ends, nil)
    }

    /// Starts to watch SIGHUP and SIGUSR1 too; before, `rule` holds them.
    package convenience init(
        _ rule: HangupRule, first: @escaping @Sendable () -> Void, hangup: @escaping @Sendable () -> Void,
        report: @escaping @Sendable () -> Void
    ) throws(SystemCalls.Failure) {
        try self.init(
            Handlers(first: first, hangup: hangup, report: report), watching: Signals.ends + Signals.requests, rule)
    }

    private init(_ handlers: Handlers, watching numbers: [Int32], _ rule: HangupRule?) throws(SystemCalls.Failure) {
        self.handlers = Locked(handlers)
        Signals.hold(numbers)
        Signals.useDefault(of: numbers)
        try DetachedThread.start { [self] in
            _ = nextEnd(of: numbers, rule, isFirst: true)
            StandardError.interrupt()
            current?.first()
            let number = nextEnd(of: numbers, rule, isFirst: false)
            current?.last()
            Signals.end(by: number)
        }
    }

    /// Releases the handlers: a first signal then only shortens the wait for standard error.
    package func end() {
        handlers.withLock { $0 = nil }
    }

    private var current: Handlers? { handlers.withLock { $0 } }

    /// Handles requests until a signal comes that ends the process.
    ///
    /// - Parameter isFirst: whether a closed terminal counts as such a signal. It can cause several of SIGHUP, which
    ///   must not look like an impatient user.
    private func nextEnd(of numbers: [Int32], _ rule: HangupRule?, isFirst: Bool) -> Int32 {
        while true {
            let number = Signals.wait(for: numbers)
            switch number {
            case Signals.hangup where rule?.isEnd == true:
                if isFirst { return number }
            case Signals.hangup:
                current?.hangup()
            case Signals.report:
                current?.report()
            default:
                return number
            }
        }
    }
}
