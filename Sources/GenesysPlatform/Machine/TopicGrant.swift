package import GenesysLoop

/// What the service permitted of the topics that were asked for over REST.
///
/// The answer has an entry for each topic, but a combined one may come back permitted although one of its names is
/// refused in an entry of its own: the entries of single names count. The other names of such a topic are then asked
/// for singly, because a subscription over the WebSocket with the combined topic would be refused. What the answer does
/// not mention is refused.
///
/// Source: platform sheet §2, traps 10 and 11.
package struct TopicGrant: Equatable, Sendable {
    /// What may be subscribed to of a wanted topic.
    private var permittedNames: [Topic: [Topic]] = [:]
    /// The topics that the channel gets.
    package private(set) var permitted: [Topic] = []
    /// What was refused, one report for each wanted topic.
    package private(set) var refusals: [[RejectedTopics.Rejection]] = []
    /// Whether a combined topic was split: the channel still has the combined one.
    package private(set) var isSplit = false

    /// Nothing was asked for.
    package init() {}

    package init(asked: [Topic], verdicts: [TopicVerdict]) {
        let entries = Dictionary(verdicts.map { ($0.topic, $0) }) { $1 }
        for topic in asked {
            let names = topic.expanded
            let decisions = names.map { (name: $0, verdict: entries[$0] ?? entries[topic]) }
            let refused = decisions.filter { $0.verdict?.isPermitted != true }
            if refused.isEmpty {
                permittedNames[topic] = [topic]
                permitted.append(topic)
                continue
            }
            guard refused.count < names.count else {
                permittedNames[topic] = []
                refusals.append([RejectedTopics.Rejection(topic, entries[topic] ?? refused[0].verdict)])
                continue
            }
            isSplit = true
            let rest = decisions.filter { $0.verdict?.isPermitted == true }.map(\.name)
            permittedNames[topic] = rest
            permitted += rest
            refusals.append(refused.map { RejectedTopics.Rejection($0.name, $0.verdict) })
        }
        permitted = TopicGrant.fitting(permitted.unique)
    }

    /// What a channel gets of the topics that are wanted now: of those that were asked for what was permitted, and the
    /// others as they are.
    package func topics(of wanted: [Topic]) -> [Topic] {
        TopicGrant.fitting(wanted.flatMap { permittedNames[$0] ?? [$0] }.unique)
    }

    /// Whether the service refused the topic, wholly or as a name of a combined one.
    package func refuses(_ topic: Topic) -> Bool {
        if let names = permittedNames[topic] { return names.isEmpty }
        return refusals.contains { $0.contains { $0.topic == topic } }
    }

    /// Topics that are no longer wanted: if they are wanted again, they are asked for again.
    package mutating func forget(_ topics: Set<Topic>) {
        for topic in topics where permittedNames.removeValue(forKey: topic) != nil {
            let names = topic.expanded + [topic]
            refusals.removeAll { $0.first.map { names.contains($0.topic) } ?? true }
        }
    }

    /// Single names are combined again if there are more of them than a channel may have.
    private static func fitting(_ topics: [Topic]) -> [Topic] {
        topics.count > Topic.maxCount ? Topic.combined(topics).map(\.topic) : topics
    }
}

extension RejectedTopics.Rejection {
    /// The reason for a topic that the answer does not mention.
    static let unknown = "unknown"

    fileprivate init(_ topic: Topic, _ verdict: TopicVerdict?) {
        self.init(
            topic: topic, reason: verdict.map { $0.reason } ?? RejectedTopics.Rejection.unknown,
            missingPermissions: verdict?.missingPermissions ?? [])
    }
}

extension [Topic] {
    /// Without duplicates, in order.
    fileprivate var unique: [Topic] {
        var seen: Set<Topic> = []
        return filter { seen.insert($0).inserted }
    }
}
