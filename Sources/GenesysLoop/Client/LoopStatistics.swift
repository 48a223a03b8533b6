/// What a loop has done since it was made, and its current state: a snapshot, to be taken on the loop's thread.
///
/// Taking one is cheap: it copies counters. Counts since the loop was made never decrease.
public struct LoopStatistics: Hashable, Sendable {
    /// How often libuv called the library: for input, a timer, blocks of `execute(_:)`, and so on.
    public var wakeUpCount = 0
    /// How late the library's timers fired: the time that a deadline waited for the loop.
    ///
    /// On a loop that nothing blocks, nearly all are within a few milliseconds. A callback that takes 100 ms delays
    /// every timer that becomes due meanwhile, so it appears here. There is one observation for each timer that fires:
    /// an idle loop has few.
    public var lag = DurationHistogram()

    /// Channels, clients and timers of `schedule(after:_:)` that are open.
    public var openObjectCount = 0
    /// TCP connections that are open or being opened, including those that a simulator has accepted.
    public var connectionCount = 0
    /// Connections that wait until fewer others are being opened.
    public var waitingConnectionCount = 0
    /// Look-ups of names, one for each family of addresses, that wait for a thread.
    public var queuedLookupCount = 0
    /// Threads that look up names, including those that no connection waits for any longer.
    public var lookupThreadCount = 0

    /// All values zero.
    public init() {}
}

extension LoopStatistics: CustomStringConvertible {
    /// Every member by its name, on one line.
    public var description: String {
        Mirror(reflecting: self).children.map { "\($0.label ?? "") \($0.value)" }.joined(separator: ", ")
    }
}

extension UVLoop {
    /// What the loop has done so far, and its current state.
    ///
    /// - Precondition: called on the loop's thread. Safe inside any delegate callback.
    public var statistics: LoopStatistics {
        preconditionCurrent("UVLoop.statistics")
        var statistics = LoopStatistics()
        statistics.wakeUpCount = wakeUpCount
        statistics.lag = lag
        statistics.openObjectCount = openObjects.count
        statistics.connectionCount = connectionCount
        statistics.waitingConnectionCount = connectLimiter.waitingCount
        statistics.queuedLookupCount = resolver.queuedCount
        statistics.lookupThreadCount = resolver.threadCount
        return statistics
    }
}
