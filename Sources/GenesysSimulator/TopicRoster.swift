internal import GenesysLoop

/// The single topics with listeners, and the channels of each.
struct TopicRoster: Sendable {
    /// Channels by topic, in the order of their creation.
    private(set) var audience: [Topic: [Int]] = [:]
    private var topics: [Topic] = []
    private var turn = 0

    /// Starts over from the channels that have an open socket.
    ///
    /// The turn continues where it was.
    mutating func replace(with channels: [ChannelRecord], except forbidden: Set<Topic>) {
        audience.removeAll(keepingCapacity: true)
        topics.removeAll(keepingCapacity: true)
        for (index, channel) in channels.enumerated() where channel.hasAudience {
            for topic in channel.topics.names.lazy.flatMap(\.expanded) where !forbidden.contains(topic) {
                let known = audience[topic]
                if known == nil { topics.append(topic) }
                if known?.last != index { audience[topic, default: []].append(index) }
            }
        }
    }

    /// The next topic in turn, or a random one.
    mutating func next(shuffled: Bool, using generator: inout some RandomNumberGenerator) -> Topic? {
        if shuffled { return topics.randomElement(using: &generator) }
        guard !topics.isEmpty else { return nil }
        defer { turn += 1 }
        return topics[turn % topics.count]
    }
}
