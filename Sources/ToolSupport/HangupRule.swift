/// What SIGHUP means for a program that handles it.
package struct HangupRule: Sendable {
    /// Whether the process may outlive its terminal, because it has none or because `nohup` started it.
    private let outlivesTerminal: Bool

    /// Reads the state of the process. To be called before it reads its files.
    ///
    /// SIGHUP does not wait for a `SignalWatch` if it could be the end of the terminal: then it ends a process that
    /// still reads its files.
    package init() {
        outlivesTerminal = Signals.startedWithoutHangup || SystemCalls.hasTerminal != true
        if !outlivesTerminal { Signals.release(Signals.hangup) }
    }

    /// Whether a SIGHUP that has come ends the process: the terminal is gone.
    var isEnd: Bool { !outlivesTerminal && SystemCalls.hasTerminal == false }
}
