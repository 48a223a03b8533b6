public import GenesysLoop

/// What a relay has done since `open()`, and its current state: a snapshot. Counts never decrease.
public struct RelayStatistics: Hashable, Sendable {
    /// Notifications given to `append(_:)`.
    public var receivedCount = 0
    /// Records that the engine has acknowledged, those of the relay itself included.
    public var storedCount = 0
    /// The number of the last one in the present epoch.
    public var storedSequence: UInt64 = 0
    /// Records that were dropped because the queue was full.
    public var droppedCount = 0
    /// Records that the engine refused for good.
    public var refusedCount = 0
    /// Those of them that were written to the file of dead letters.
    public var deadLetterCount = 0
    /// Records that were found in the stream after a connection was lost, and not sent again.
    public var duplicateCount = 0
    /// Connections to the engine.
    public var engineConnectCount = 0
    /// How often another relay had taken the stream: 0 or 1.
    public var fencedCount = 0
    /// The time from the receipt of a record to its acknowledgment.
    public var storeLatencies = DurationHistogram()
    /// The time in which the channel was to be paused, with the pause that is in progress.
    public var pausedDuration: Duration = .zero
    /// The length of all gap records, by their reason as it stands in the record.
    public var gapDurationsByReason: [String: Duration] = [:]

    /// Whether the engine is connected.
    public var isEngineConnected = false
    /// Whether this relay writes the stream.
    public var isLeading = false
    /// The present epoch; nil before the engine was seen.
    public var epoch: UInt64?
    /// Records that are not stored.
    public var queuedCount = 0
    /// Their bytes, with an overhead for each.
    public var queueByteCount = 0
    /// The age of the oldest of them; nil if there is none.
    public var queueAge: Duration?
    /// The time since the last notification; nil before the first.
    public var lastNotificationAge: Duration?

    /// All values zero, as before `open()`.
    public init() {}
}
