/// What SIGHUP means: a request to open files again, or the end of the terminal that the process was started at.
package struct HangupRule: Sendable {
    /// Whether the process may outlive its terminal, because it has none or because `nohup` started it.
    private let outlivesTerminal: Bool

    /// Reads the state of the process. To be called at its start, before `hold()`.
    package init() {
        outlivesTerminal = Signals.isIgnored(Signals.hangup) || SystemCalls.hasTerminal != true
    }

    /// Holds the requests on the calling thread until a `SignalWatch` handles them.
    ///
    /// SIGHUP is not held if it could be the end of the terminal: then it ends a process that still reads its files.
    package func hold() {
        Signals.hold(outlivesTerminal ? Signals.requests : [Signals.report])
    }

    /// Whether a SIGHUP that has come ends the process: the terminal is gone.
    var isEnd: Bool { !outlivesTerminal && SystemCalls.hasTerminal == false }
}
