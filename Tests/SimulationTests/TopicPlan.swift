import GenesysLoop

/// The topics of the simulated world, and the single names of their notifications.
enum TopicPlan {
    static let singles: [Topic] =
        (0..<6).map { Topic(rawValue: "v2.routing.queues.q\($0).conversations") }
        + ["v2.users.u1.presence", "v2.users.u1.station"]
    static let combined: Topic = "v2.users.u1?presence&station"
    /// No client has permission for it.
    static let forbidden: Topic = "v2.analytics.secrets"
    static let names: [Topic] = singles[..<7] + [combined]

    /// One bit for each single topic of `topics`.
    static func mask(of topics: some Sequence<Topic>) -> UInt16 {
        var mask: UInt16 = 0
        for topic in topics {
            if topic == combined {
                mask |= 0b1100_0000
            } else if let index = singles.firstIndex(of: topic) {
                mask |= 1 << UInt16(index)
            }
        }
        return mask
    }

    /// Some names in random order.
    static func choose(using random: inout SplitMix64) -> [Topic] {
        let chosen = names.filter { _ in random.oneIn(2) }
        return chosen.isEmpty ? [random.pick(names)] : chosen.shuffled(using: &random)
    }
}
