/// Faults in the machine of the relay.
extension Mutation {
    static let relay = [
        Mutation(
            "dropped records leave no gap",
            harm: "notifications are missing in the stream, and nothing says so",
            Edit(
                relay: "RelayQueue", "            dropped = Dropped(count: until",
                "            _ = Dropped(count: until")),
        Mutation(
            "ids are used again after a restart",
            harm: "the engine skips new records, because it has others with their ids",
            Edit(relay: "RelayMachine+Engine", "head.map { $0.last.epoch + 1 }", "head.map { $0.last.epoch }")),
        Mutation(
            "a record that is refused for now counts as stored",
            harm: "it is missing in the stream",
            Edit(
                relay: "RelayMachine+Engine",
                "            acknowledgeBefore(sequence, now: now)\n            retryLater",
                "            acknowledge(through: sequence, now: now)\n            retryLater")),
        Mutation(
            "a dead letter leaves a hole",
            harm: "the engine refuses everything that follows",
            Edit(
                relay: "RelayQueue", "            lastSequence += sent[place].skippedCount + 1",
                "            lastSequence += 1")),
        Mutation(
            "records are appended before the epoch record is stored",
            harm: "an older writer can still append between them",
            Edit(
                relay: "RelayMachine+Engine", "isLeading ? settings.batchCount : 1 - queue.inFlightCount",
                "settings.batchCount")),
        Mutation(
            "the head is not compared after a reconnect",
            harm: "what the engine lost is lost without a word",
            Edit(
                relay: "RelayMachine+Engine", "let losses = history.rollBack(to: head?.last)",
                "let losses: [StoredHistory.Loss] = []")),
        Mutation(
            "what was in flight is not sent again",
            harm: "it is missing if the connection was lost before it arrived",
            Edit(
                relay: "RelayMachine+Engine",
                "        }\n        queue.nothingIsInFlight()\n        isWindowFull = false\n        state = .waiting",
                "        }\n        isWindowFull = false\n        state = .waiting")),
        Mutation(
            "what is queued counts as covered",
            harm: "the gap after a crash begins too late",
            Edit(
                relay: "RelayMachine", "return queue.start.map { min($0, heardAt) } ?? heardAt", "return heardAt")),
        Mutation(
            "a gap record that is lost again loses its interval",
            harm: "what it reported is no longer reported",
            Edit(relay: "RelayMachine+Engine", "start: record.start)", "start: record.receivedAt)")),
        Mutation(
            "a paused source stays paused",
            harm: "the service disconnects a client that does not read",
            Edit(
                relay: "RelayMachine+Source", "        emit(.resumeSource)\n    }\n\n    /// Half",
                "    }\n\n    /// Half")),
        Mutation(
            "a writer that another one has followed goes on",
            harm: "two epochs are interleaved, or it never ends",
            Edit(relay: "RelayMachine+Engine", "guard isOurs else { return fence() }", "guard isOurs else { return }")),
    ]
}
