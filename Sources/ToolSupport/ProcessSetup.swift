/// The first steps of the process.
package enum ProcessSetup {
    /// When the process started, as precisely as the program can determine.
    package static let start = ContinuousClock.now

    /// Records the time, sets the signals, and opens missing standard descriptors.
    package static func prepare() throws(SystemCalls.Failure) {
        _ = start
        Signals.prepare()
        try SystemCalls.reserveStandardDescriptors()
    }
}
