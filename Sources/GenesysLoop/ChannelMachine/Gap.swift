/// An interval in which notifications may have been missed.
///
/// The service does not replay them: read the current state again.
public struct Gap: Hashable, Sendable {
    /// The last moment up to which everything is proven to have arrived.
    ///
    /// It lies before the last notification that arrived, often by a second or two: a notification does not prove that
    /// nothing after it was missed.
    public var from: WallTime
    /// The moment at which the new subscription was confirmed.
    public var to: WallTime
    /// Why the old connection was lost.
    public var reason: FailureReason

    /// Creates a gap report.
    public init(from: WallTime, to: WallTime, reason: FailureReason) {
        self.from = from
        self.to = to
        self.reason = reason
    }
}

extension Gap: CustomStringConvertible {
    /// From when to when, and why; times are ISO 8601.
    public var description: String { "Notifications may have been missed from \(from) to \(to) (\(reason))." }
}
