/// Decides when the automatic rollover starts: after the service's maintenance notice, and again after a rollover that
/// failed.
///
/// Source: protocol sheet §4.4 (`socket_closing`, a minute before the end).
package struct Maintenance: Equatable, Sendable {
    /// This many notices in a row, each within a second of a confirmation, mean that the service is broken.
    package static let maxPrematureNoticeCount = 30

    /// When to start the automatic rollover, or to try it again.
    package private(set) var rolloverDue: Instant?
    /// Rollovers that failed since the notice.
    private var failureCount = 0
    /// How many sockets in a row were announced to close as soon as they were confirmed.
    private var prematureNoticeCount = 0

    package init() {}

    /// The service will close the current link: the host is notified first, and the rollover starts at the next turn
    /// of the loop, unless the host starts one.
    ///
    /// Immediately, or after a jitter that spreads the channels of one process. If the service announces the end of
    /// each new socket as soon as it is confirmed, the delay grows, but stays within the minute that the service
    /// grants.
    package mutating func announced(
        confirmedAt: Instant, _ settings: ChannelSettings, now: Instant, random: inout SplitMix64
    ) {
        failureCount = 0
        guard settings.rollover == .automatic else { return }
        prematureNoticeCount = now - confirmedAt <= .seconds(1) ? prematureNoticeCount + 1 : 0
        let excess = prematureNoticeCount - Maintenance.maxPrematureNoticeCount
        guard excess > 0 else {
            rolloverDue = now + random.duration(in: .zero...max(.zero, settings.rolloverJitter))
            return
        }
        let delay = settings.reconnect.settings.delay(attempt: excess, random: &random)
        rolloverDue = now + min(delay, settings.maintenanceNotice / 2)
    }

    /// A rollover starts, or the link that was to end did.
    package mutating func settled() {
        rolloverDue = nil
    }

    package mutating func rolloverFailed() {
        failureCount += 1
    }

    /// The notice outlives the rollover that failed: decides when to try again.
    package mutating func scheduleRetry(
        after failure: ChannelFailure, _ purpose: ChannelMachine.Purpose, _ settings: ChannelSettings, now: Instant,
        random: inout SplitMix64
    ) {
        guard settings.rollover == .automatic else { return }
        switch (purpose, settings.reconnect) {
        case (.requested, _):
            // The host's own rollover failed: the automatic one starts now.
            rolloverDue = now
        case (.maintenance, .backoff(let backoff)) where !failure.isFinalOnReconnect:
            let delay = backoff.delay(attempt: failureCount - 1, random: &random)
            rolloverDue = now + max(delay, failure.retryAfter ?? .zero)
        case (.maintenance, _):
            break
        }
    }
}
