public import GenesysLoop

// Topics of a channel: the rules of both ways to change them, and the REST way. Protocol: REST side, limits.
extension SimulatedService {
    /// One topic of a REST answer.
    public struct TopicState: Hashable, Sendable {
        /// The topic: as requested if it is permitted, a single one if it is rejected.
        public var topic: Topic
        /// `Permitted` or, for lack of a permission, `Rejected`.
        public var isPermitted: Bool
        /// The permissions that are missing; empty if it is permitted.
        public var missingPermissions: [String]

        init(permitted topic: Topic) {
            self.topic = topic
            isPermitted = true
            missingPermissions = []
        }

        init(rejected topic: Topic) {
            self.topic = topic
            isPermitted = false
            missingPermissions = TopicCatalog.permissions(for: topic)
        }

        /// The text of a real capture; nil if it is permitted.
        public var rejectionReason: String? {
            isPermitted ? nil : "The user does not have permissions required for topic \(topic.rawValue)"
        }
    }

    /// The topics of a channel in the order of their subscription, as `GET …/subscriptions` lists them.
    public func subscriptions(of channelID: String) throws(Refusal) -> [Topic] {
        guard let channel = liveChannel(channelID) else { throw .notFound }
        return channels[channel].topics.names
    }

    /// Adds (`POST …/subscriptions`) or replaces (`PUT`) the topics of a channel, and renews its life.
    ///
    /// - Parameters:
    ///   - topics: the topics to add, or the new topics.
    ///   - channelID: the channel.
    ///   - replaces: whether the topics replace those that the channel has.
    ///   - ignoringErrors: whether topics without permission are rejected individually instead of refusing all.
    ///   - now: the time since the driver's origin.
    /// - Throws: 404 for an unknown channel, 400 for an invalid topic or too many, 403 for lack of a permission.
    public mutating func subscriptionsChanged(
        _ topics: [Topic], of channelID: String, replaces: Bool = false, ignoringErrors: Bool = false, now: Duration
    ) throws(Refusal) -> [TopicState] {
        advance(to: now)
        guard let channel = liveChannel(channelID) else { throw .notFound }
        let forbidden = configuration.channels.forbiddenTopics
        let ignoringErrors = ignoringErrors && configuration.channels.permitsIgnoringErrors
        let permitted = ignoringErrors ? topics.filter { !$0.expanded.allSatisfy(forbidden.contains) } : topics
        if let refusal = refusal(of: permitted, for: channel, replaces: replaces, ignoringPermissions: ignoringErrors) {
            throw refusal
        }
        apply(permitted, to: channel, replaces: replaces, now: now)
        settleSchedule(now: now)
        let rejected = topics.flatMap(\.expanded).filter(forbidden.contains)
        return permitted.map { TopicState(permitted: $0) } + rejected.map { TopicState(rejected: $0) }
    }

    /// Removes all topics of a channel, as `DELETE …/subscriptions` does.
    public mutating func subscriptionsRemoved(of channelID: String, now: Duration) throws(Refusal) {
        advance(to: now)
        guard let channel = liveChannel(channelID) else { throw .notFound }
        channels[channel].topics.removeAll()
        rosterIsStale = true
    }

    /// Why the service refuses the topics, all of them; nil if it accepts them.
    func refusal(
        of topics: [Topic], for channel: Int, replaces: Bool, ignoringPermissions: Bool = false
    ) -> Refusal? {
        if let invalid = topics.first(where: { !$0.isValid }) {
            return .badRequest("Invalid topic: \(invalid.rawValue.prefix(Topic.maxCharacterCount)).")
        }
        let forbidden = configuration.channels.forbiddenTopics
        if !ignoringPermissions, topics.contains(where: { $0.expanded.contains(where: forbidden.contains) }) {
            return .forbidden
        }
        var all = replaces ? TopicList() : channels[channel].topics
        all.add(topics)
        let limit = configuration.channels.maxTopicCount
        return all.names.count > limit ? .badRequest("A channel can have at most \(limit) topics.") : nil
    }

    mutating func apply(_ topics: [Topic], to channel: Int, replaces: Bool, now: Duration) {
        if replaces { channels[channel].topics.removeAll() }
        channels[channel].topics.add(topics)
        rosterIsStale = true
        renew(channel, now: now)
    }
}
