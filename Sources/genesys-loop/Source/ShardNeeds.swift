import GenesysLoop
import GenesysPlatform

/// How many channels topics need, and how many of their places.
struct ShardNeeds: Equatable {
    let shardCount: Int
    /// Topics of one resource share a place where that saves one.
    let placeCount: Int
    /// The topics of each channel.
    let parts: [[Topic]]

    /// - Throws: if an OAuth client cannot have that many channels.
    init(_ topics: [Topic]) throws(ChannelFailure) {
        var plan = ShardPlan(capacity: ChannelCount.maximum)
        _ = try plan.add(topics)
        shardCount = plan.shardCount
        placeCount = plan.placeCount
        parts = (0..<plan.shardCount).map { plan.topics(of: $0) }
    }

    /// Whether a place is left, so that a move loses nothing.
    var leavesSparePlace: Bool { shardCount < ChannelCount.maximum }
}
