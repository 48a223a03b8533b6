import GenesysLoop

/// Handles the signals on a thread of its own: the first one requests a clean end, the second one ends the process
/// immediately with status 128 + its number.
///
/// Before a watch exists, a signal ends the process by default, so code that runs until then may block.
package final class SignalWatch: Sendable {
    private struct Handlers: Sendable {
        var first: @Sendable () -> Void
        var last: @Sendable () -> Void
    }

    private let handlers: Locked<Handlers?>

    /// Starts to watch. The calling thread, and threads that it starts, no longer get the signals.
    ///
    /// - Parameters:
    ///   - first: called on the watching thread, with the first signal.
    ///   - last: called on the watching thread before the second signal ends the process.
    package init(
        first: @escaping @Sendable () -> Void, last: @escaping @Sendable () -> Void = {}
    ) throws(SystemCalls.Failure) {
        handlers = Locked(Handlers(first: first, last: last))
        Signals.hold()
        try DetachedThread.start { [self] in
            _ = Signals.wait()
            StandardError.interrupt()
            current?.first()
            let number = Signals.wait()
            current?.last()
            Signals.end(by: number)
        }
    }

    /// Releases the handlers: a first signal then only shortens the wait for standard error.
    package func end() {
        handlers.withLock { $0 = nil }
    }

    private var current: Handlers? { handlers.withLock { $0 } }
}
