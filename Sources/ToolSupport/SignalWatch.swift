import GenesysLoop

/// Takes the signals on a thread of its own: the first one asks for a clean end, the second one ends the process at
/// once with status 128 + its number.
///
/// Before there is a watch a signal ends the process, as it does by default: what is done until then may block.
package final class SignalWatch: Sendable {
    private struct Handlers: Sendable {
        var first: @Sendable () -> Void
        var last: @Sendable () -> Void
    }

    private let handlers: Locked<Handlers?>

    /// Starts to watch. The calling thread, and those that it starts, get none of the signals any more.
    ///
    /// - Parameters:
    ///   - first: called on the thread, with the first signal.
    ///   - last: called on the thread before the second one ends the process.
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

    /// Releases the handlers: a first signal does no more than to hurry the end.
    package func end() {
        handlers.withLock { $0 = nil }
    }

    private var current: Handlers? { handlers.withLock { $0 } }
}
