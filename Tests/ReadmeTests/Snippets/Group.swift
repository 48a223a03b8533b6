import GenesysLoop
import GenesysPlatform

/// Counts notifications, and what was lost, for as many topics as there are.
final class UserBoard: ChannelGroupDelegate {
    private(set) var counts: [String: Int] = [:]
    private(set) var gapCount = 0

    func group(_ group: ChannelGroup, didReceive notification: ChannelNotification, on shard: Int) {
        counts[notification.topic, default: 0] += 1
    }

    func group(_ group: ChannelGroup, didMiss gap: Gap, on shard: Int) {
        // Ask the REST API for the present values of `group.shards[shard].topics`.
        gapCount += 1
    }

    func group(_ group: ChannelGroup, didReject topics: RejectedTopics, on shard: Int) {
        print("not permitted: \(topics)")
    }

    func group(_ group: ChannelGroup, didFail failure: ChannelFailure) {
        print("\(failure)")
    }
}

/// Opens a group with one topic of each user.
func openGroup(users: [String], on platform: Platform, board: UserBoard) throws -> ChannelGroup {
    let topics = users.map { Topic("v2.users.\($0).presence") }
    let group = try ChannelGroup(topics: topics, on: platform, delegate: board)
    group.open()
    return group
}
