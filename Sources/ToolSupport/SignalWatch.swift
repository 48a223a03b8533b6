import GenesysLoop

/// Takes the signals on a thread of its own: the first one asks for a clean end, the second one ends the process at once
/// with status 128 + its number.
package final class SignalWatch: Sendable {
    private struct Handlers: Sendable {
        var first: @Sendable () -> Void
        var last: @Sendable () -> Void
    }

    private let handlers: Locked<Handlers?>

    /// Starts to watch.
    ///
    /// - Parameters:
    ///   - first: called on the thread, with the first signal.
    ///   - last: called on the thread before the second one ends the process.
    package init(
        first: @escaping @Sendable () -> Void, last: @escaping @Sendable () -> Void = {}
    ) throws(SystemCalls.Failure) {
        handlers = Locked(Handlers(first: first, last: last))
        try DetachedThread.start { [self] in
            _ = Signals.wait()
            current?.first()
            let number = Signals.wait()
            current?.last()
            Signals.end(by: number)
        }
    }

    /// Releases the handlers: a first signal does nothing any more.
    package func end() {
        handlers.withLock { $0 = nil }
    }

    private var current: Handlers? { handlers.withLock { $0 } }
}
