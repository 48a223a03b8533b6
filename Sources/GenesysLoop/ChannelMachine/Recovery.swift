/// How a channel came back, or stayed.
public struct Recovery: Hashable, Sendable {
    /// The way of a recovery.
    public enum Method: String, Hashable, Sendable {
        /// A new connection after a loss.
        case reconnect
        /// A new connection before the old one ended.
        case rollover
        /// The life of the channel was extended on the same connection.
        case `extension`
    }

    /// The way it went.
    public var method: Method
    /// Attempts it took, 1 or more.
    public var attemptCount: Int
    /// Reconnections after a loss since `open()`, this one included.
    public var reconnectCount: Int
    /// Rollovers since `open()`, this one included.
    public var rolloverCount: Int
    /// Lifetime extensions since `open()`, this one included.
    public var extensionCount: Int
    /// Messages that came on both connections of overlaps and were delivered once, since `open()`.
    ///
    /// A genuine repeat with one copy on each connection cannot be told from a duplicate and is among them.
    public var mergedRepeats: Int
}

extension Recovery: CustomStringConvertible {
    /// How the channel came back, and the counts since `open()`.
    public var description: String {
        let deed =
            switch method {
            case .reconnect: "The channel connected again with attempt \(attemptCount)"
            case .rollover: "The channel moved to a new connection without a break"
            case .extension: "The channel's life was extended"
            }
        return "\(deed). Reconnects \(reconnectCount), rollovers \(rolloverCount), extensions \(extensionCount), "
            + "merged repeats \(mergedRepeats)."
    }
}
