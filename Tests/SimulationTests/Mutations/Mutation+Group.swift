/// Faults of the machines of a group of channels.
extension Mutation {
    static let groups: [Mutation] = [
        Mutation(
            "let several shards move at a time",
            harm: "more than 20 channels: the service removes one that is in use",
            Edit(
                platform: "ShardTurns", "guard moving == nil, let index = queue.firstIndex(where: { $0.wait.isMove })",
                "guard let index = queue.firstIndex(where: { $0.wait.isMove })")),
        Mutation(
            "let a move follow another one at once",
            harm: "the service has not seen the end of the old connection, and removes a channel in use",
            Edit(platform: "ShardTurns", "            lastEnd = now\n", "")),
        Mutation(
            "make all channels at once",
            harm: "the service refuses creations: too many a minute",
            Edit(
                platform: "ShardTurns", "static let pace: Duration = .seconds(1)",
                "static let pace: Duration = .milliseconds(1)")),
        Mutation(
            "end a topic with the first of its users",
            harm: "another part of the program receives nothing",
            Edit(
                platform: "ShardPlan", "references[topic] = count > 1 ? count - 1 : nil", "references[topic] = nil"),
            Edit(platform: "ShardPlan", "if count == 1 { release", "if count >= 1 { release")),
        Mutation(
            "forget that a removed topic frees a place",
            harm: "a group that changes its topics is full one day",
            Edit(platform: "ShardPlan", "            shards[shard].placeCount -= 1\n", "")),
        Mutation(
            "end the group with one channel that failed",
            harm: "what happens to one channel touches all others",
            Edit(
                platform: "ChannelGroupMachine",
                "let isFatal = !failure.isOfTopics && (!isPersistent || !isConfirmed)",
                "let isFatal = !failure.isOfTopics")),
        Mutation(
            "move although all 20 places are in use",
            harm: "the service removes the channel of another shard",
            Edit(
                platform: "ChannelGroupMachine", "if isPersistent { actions.append(.exchange(shard)) }",
                "actions.append(.start(shard))")),
        Mutation(
            "start a shard that was given up again in ever the same time",
            harm: "a service that refuses it is asked without end",
            Edit(platform: "ChannelGroupMachine", "        restart.count += 1\n", "")),
    ]
}
