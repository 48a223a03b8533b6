/// Recognizes two clients that keep taking one channel from each other.
///
/// Five takeover losses within two minutes end the channel; one does where the policy is to yield. The machine decides
/// what counts as one; resets, time-outs and HTTP errors never do. Source: protocol sheet §5.4, §8 P4.
package struct Takeover: Equatable, Sendable {
    package static let limit = 5
    package static let window: Duration = .seconds(120)
    /// A Close frame this soon after a confirmation looks like a takeover.
    package static let suspicion: Duration = .seconds(10)

    private var losses: [Instant] = []

    package init() {}

    /// Counts one; returns true when the channel must end.
    package mutating func lossCounted(_ policy: TakeoverPolicy = .reconnect, now: Instant) -> Bool {
        guard policy == .reconnect else { return true }
        losses.removeAll { now - $0 > Takeover.window }
        losses.append(now)
        return losses.count >= Takeover.limit
    }
}
