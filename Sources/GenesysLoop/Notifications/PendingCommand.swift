/// A command that the service has not answered yet.
///
/// It is sent once more at half of its deadline, with the same correlation id, so that either answer settles it.
/// Source: protocol sheet §3, §4.2.
package struct PendingCommand: Equatable, Sendable {
    /// What its answer decides.
    package enum Purpose: Equatable, Sendable {
        /// The subscription that makes a link a confirmed one.
        case confirm
        /// The renewal of the channel's life.
        case extend
        /// The subscription was changed or taken elsewhere.
        case restore(SubscriptionLapse)
        /// Topics added at run time.
        case add
        /// Topics removed at run time.
        case remove
    }

    package let purpose: Purpose
    package private(set) var topics: [Topic]
    /// Those of `topics` that no earlier command asked the channel for.
    package var firstAsked: Set<Topic> = []
    package let correlationID: String
    package private(set) var isResent = false
    /// It was sent again with other topics: an answer may be to the first one.
    package private(set) var isRevised = false
    package private(set) var deadline: Instant
    private let half: Duration

    package init(
        purpose: Purpose, topics: [Topic], correlationID: String, timeout: Duration, now: Instant
    ) {
        self.purpose = purpose
        self.topics = topics
        self.correlationID = correlationID
        half = timeout / 2
        deadline = now + half
    }

    package enum Verdict: Equatable {
        case wait
        case resend
        case unanswered
    }

    package mutating func deadlineReached(now: Instant) -> Verdict {
        guard now >= deadline else { return .wait }
        guard isResent else {
            isResent = true
            deadline = now + half
            return .resend
        }
        return .unanswered
    }

    /// What it asks for the second time must not undo what later commands on the link asked for.
    ///
    /// - Parameters:
    ///   - all: the topics that are wanted and were asked for.
    ///   - subscribed: what the link is to have when all commands are answered.
    package mutating func revise(_ all: [Topic], subscribed: Set<Topic>) {
        let before = topics
        switch purpose {
        case .confirm: break
        case .extend, .restore: topics = all
        case .add: topics = topics.filter(subscribed.contains)
        case .remove: topics = topics.filter { !subscribed.contains($0) }
        }
        if topics != before { isRevised = true }
    }

    /// Moves the deadline: the time in which nobody read the link does not count.
    package mutating func postpone(by pause: Pause) {
        deadline = pause.postponed(deadline, limit: half)
    }

    /// What goes to the service.
    package var command: OutgoingCommand {
        switch purpose {
        case .confirm, .extend, .restore, .add: .subscribe(topics, correlationID: correlationID)
        case .remove: .unsubscribe(topics, correlationID: correlationID)
        }
    }
}

/// A command as the machine asks for it; the driver encodes and sends it.
package enum OutgoingCommand: Equatable, Sendable {
    case subscribe([Topic], correlationID: String)
    case unsubscribe([Topic], correlationID: String)
    case ping
}

extension OutgoingCommand {
    /// The text message that asks for it.
    package func encoded() -> [UInt8] {
        switch self {
        case .subscribe(let topics, let correlationID):
            Command.subscribe(topics: topics, correlationID: correlationID)
        case .unsubscribe(let topics, let correlationID):
            Command.unsubscribe(topics: topics, correlationID: correlationID)
        case .ping:
            Command.ping
        }
    }
}
