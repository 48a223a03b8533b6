/// What the process does before anything else.
package enum ProcessSetup {
    /// When the process started, as near as the program can tell.
    package static let start = ContinuousClock.now

    /// Takes the time, sets the signals, and makes sure that the standard descriptors are open.
    package static func prepare() throws(SystemCalls.Failure) {
        _ = start
        Signals.prepare()
        try SystemCalls.reserveStandardDescriptors()
    }
}
