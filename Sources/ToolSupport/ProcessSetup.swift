/// What the process does before anything else.
package enum ProcessSetup {
    /// When the process started, as near as the program can tell.
    package static let start = ContinuousClock.now

    /// Takes the time, makes sure that the standard descriptors are open, and sets the signals.
    ///
    /// Must run before any thread is started: threads inherit the mask of signals.
    package static func prepare() {
        _ = start
        SystemCalls.reserveStandardDescriptors()
        Signals.prepare()
    }
}
