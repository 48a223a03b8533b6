/// How a channel recovered or extended its life.
public struct Recovery: Hashable, Sendable {
    /// The method of a recovery.
    public enum Method: String, Hashable, Sendable {
        /// A new connection after a loss.
        case reconnect
        /// A new connection before the old one ended.
        case rollover
        /// The life of the channel was extended on the same connection.
        case `extension`
        /// A new channel in the place of one that was gone (`GenesysPlatform`).
        case replacement
    }

    /// The method.
    public var method: Method
    /// Attempts, 1 or more.
    public var attemptCount: Int
    /// Reconnections after a loss since `open()`, this one included.
    public var reconnectCount: Int
    /// Rollovers since `open()`, this one included.
    public var rolloverCount: Int
    /// Lifetime extensions since `open()`, this one included.
    public var extensionCount: Int
    /// Messages that arrived on both connections of overlaps and were delivered once, since `open()`.
    ///
    /// A genuine repeat with one copy on each connection cannot be distinguished from a duplicate and counts here.
    public var mergedRepeats: Int

    /// Creates the report of a recovery.
    public init(
        method: Method, attemptCount: Int = 1, reconnectCount: Int = 0, rolloverCount: Int = 0,
        extensionCount: Int = 0, mergedRepeats: Int = 0
    ) {
        self.method = method
        self.attemptCount = attemptCount
        self.reconnectCount = reconnectCount
        self.rolloverCount = rolloverCount
        self.extensionCount = extensionCount
        self.mergedRepeats = mergedRepeats
    }
}

extension Recovery: CustomStringConvertible {
    /// How the channel came back, and the counts since `open()`.
    public var description: String {
        let deed =
            switch method {
            case .reconnect: "The channel connected again with attempt \(attemptCount)"
            case .rollover: "The channel moved to a new connection without a break"
            case .extension: "The channel's life was extended"
            case .replacement: "A new channel, with attempt \(attemptCount), took the place of one that was gone"
            }
        return "\(deed). Reconnects \(reconnectCount), rollovers \(rolloverCount), extensions \(extensionCount), "
            + "merged repeats \(mergedRepeats)."
    }
}
