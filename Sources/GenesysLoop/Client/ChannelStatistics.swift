/// What a channel has done since `open()`, and its current state: a snapshot, to be taken on the loop's thread.
///
/// Taking one is cheap: it copies counters and adds up what is held and queued. Counts since `open()` never decrease.
public struct ChannelStatistics: Hashable, Sendable {
    /// What the channel is doing.
    public var state = ChannelState.idle

    /// Notifications delivered to the delegate.
    public var receivedCount = 0
    /// Messages reported to `channel(_:didDiscard:)`.
    public var discardedCount = 0
    /// Bytes of all messages received, including heartbeats and replies, after decompression.
    public var receivedByteCount = 0
    /// Bytes read from the network: with the framing of WebSocket, TLS and a proxy, and before decompression.
    public var wireReceivedByteCount = 0
    /// Bytes that the kernel has accepted for the network, counted in the same way.
    public var wireSentByteCount = 0
    /// Confirmed connections that were lost, by the cause. A loss that ends the channel counts too.
    public var lossesByReason: [FailureReason: Int] = [:]
    /// Attempts to connect that failed, by the cause, while the channel had no other connection.
    public var failedAttemptsByReason: [FailureReason: Int] = [:]
    /// Recoveries by a new connection after a loss.
    public var reconnectCount = 0
    /// The same recoveries, by the cause of the loss.
    public var reconnectsByReason: [FailureReason: Int] = [:]
    /// Recoveries by a new connection before the old one ended.
    public var rolloverCount = 0
    /// Rollovers that failed; the old connection continued.
    public var failedRolloverCount = 0
    /// Extensions of the channel's life.
    public var extensionCount = 0
    /// Gaps reported to `channel(_:didMiss:)`.
    public var gapCount = 0
    /// The same gaps, by their reason.
    public var gapsByReason: [FailureReason: Int] = [:]
    /// How long these gaps are together, by their reason.
    public var gapDurationsByReason: [FailureReason: Duration] = [:]
    /// Single topics that were requested and that the service's confirmation did not name, each counted once.
    ///
    /// They may still be subscribed; a warning in the log names them.
    public var unconfirmedTopicCount = 0
    /// Messages that came on both connections of an overlap and were delivered once.
    public var mergedRepeats = 0
    /// The time between `pause()` and `resume()`, with the pause that is in progress.
    public var pausedDuration: Duration = .zero
    /// The times from an application ping to its answer, on all connections.
    public var pingRoundTrips = DurationHistogram()

    /// The time since the last notification was delivered; nil before the first.
    public var lastNotificationAge: Duration?
    /// The time since the last byte from the service, heartbeats included; nil without a confirmed connection.
    public var silence: Duration?
    /// The time from the last application ping to its answer, on this connection.
    ///
    /// Nil if none was answered: no ping is needed as long as the service's heartbeats arrive.
    public var pingRoundTrip: Duration?

    /// Sockets that are open or being opened, including those that close in the background.
    public var connectionCount = 0
    /// Notifications held for the order of a rollover or because the host paused.
    public var heldCount = 0
    /// Their bytes.
    public var heldByteCount = 0
    /// Commands that the service has not answered yet.
    public var pendingCommandCount = 0
    /// Bytes to be sent that the kernel has not taken yet.
    public var queuedByteCount = 0

    /// All values zero, as before `open()`.
    public init() {}
}

extension ChannelStatistics {
    /// Adds what another channel has done, and what it has open: for several channels together.
    ///
    /// Counts and times are added, of the ages the lower ones count, and `state` stays.
    public mutating func add(_ other: ChannelStatistics) {
        receivedCount += other.receivedCount
        discardedCount += other.discardedCount
        receivedByteCount += other.receivedByteCount
        wireReceivedByteCount += other.wireReceivedByteCount
        wireSentByteCount += other.wireSentByteCount
        lossesByReason.merge(other.lossesByReason, uniquingKeysWith: +)
        failedAttemptsByReason.merge(other.failedAttemptsByReason, uniquingKeysWith: +)
        reconnectCount += other.reconnectCount
        reconnectsByReason.merge(other.reconnectsByReason, uniquingKeysWith: +)
        rolloverCount += other.rolloverCount
        failedRolloverCount += other.failedRolloverCount
        extensionCount += other.extensionCount
        gapCount += other.gapCount
        gapsByReason.merge(other.gapsByReason, uniquingKeysWith: +)
        gapDurationsByReason.merge(other.gapDurationsByReason, uniquingKeysWith: +)
        unconfirmedTopicCount += other.unconfirmedTopicCount
        mergedRepeats += other.mergedRepeats
        pausedDuration += other.pausedDuration
        pingRoundTrips.add(other.pingRoundTrips)

        lastNotificationAge = lower(lastNotificationAge, other.lastNotificationAge)
        silence = lower(silence, other.silence)
        pingRoundTrip = lower(pingRoundTrip, other.pingRoundTrip)

        connectionCount += other.connectionCount
        heldCount += other.heldCount
        heldByteCount += other.heldByteCount
        pendingCommandCount += other.pendingCommandCount
        queuedByteCount += other.queuedByteCount
    }

    private func lower(_ left: Duration?, _ right: Duration?) -> Duration? {
        guard let left, let right else { return left ?? right }
        return min(left, right)
    }
}

extension ChannelStatistics: CustomStringConvertible {
    /// Every member by its name, on one line. Times are in seconds; unknown values are left out.
    public var description: String {
        Mirror(reflecting: self).children.compactMap { name, value -> String? in
            guard let name else { return nil }
            switch value {
            case let duration as Duration: return "\(name) \(duration.secondsText) s"
            case let count as Int: return "\(name) \(count)"
            case let state as ChannelState: return "\(name) \(state)"
            case let histogram as DurationHistogram: return "\(name) \(histogram)"
            case let counts as [FailureReason: Int]: return "\(name) \(text(counts) { "\($0)" })"
            case let times as [FailureReason: Duration]: return "\(name) \(text(times) { "\($0.secondsText) s" })"
            default: return nil
            }
        }.joined(separator: ", ")
    }

    private func text<Value>(_ values: [FailureReason: Value], _ text: (Value) -> String) -> String {
        guard !values.isEmpty else { return "none" }
        let parts = values.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key) \(text($0.value))" }
        return parts.joined(separator: " and ")
    }
}

/// The counts of the driver for the statistics; the machine counts the rest.
struct ChannelCounters {
    var receivedCount = 0
    var discardedCount = 0
    var receivedByteCount = 0
    /// When the bytes being delivered were read: the clock is read once per read, not per message.
    var readAt = Instant(nanoseconds: 0)
    var lastNotificationAt: Instant?

    mutating func delivered() {
        receivedCount &+= 1
        lastNotificationAt = readAt
    }
}
