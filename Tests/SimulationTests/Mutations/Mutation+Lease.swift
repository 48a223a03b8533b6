/// Faults in the machine of the lease.
extension Mutation {
    static let lease = [
        Mutation(
            "a declined renewal counts",
            harm: "a relay that was frozen goes on beside its successor",
            Edit(relay: "LeaseMachine", "        if isReplaced {\n", "        if isReplaced || isLeadTold {\n")),
        Mutation(
            "a lease is taken too early",
            harm: "a relay whose renewal is late is fenced, although it lives",
            Edit(relay: "LeaseMachine", "$0.since + watchLimit", "$0.since + lease / 2")),
        Mutation(
            "the observation goes on over an outage",
            harm: "a relay that could not renew while the engine was away loses its lease",
            Edit(
                relay: "LeaseMachine", "        sighting = nil\n        isLeadTold = false\n",
                "        isLeadTold = false\n")),
        Mutation(
            "a lease that moves is watched on",
            harm: "a second relay of one name waits for ever instead of saying so",
            Edit(
                relay: "LeaseMachine", "return end(epoch == nil ? .refuse(owner: record.owner) : .fenced)",
                "return state = .watching")),
        Mutation(
            "a lost lease ends the relay",
            harm: "an engine that forgets the lease stops every relay",
            Edit(
                relay: "LeaseMachine",
                "guard let record else { return replace(nil, epoch: epoch ?? nextEpoch(after: nil, now: now), now: now) }",
                "guard let record else {\n            return epoch == nil ? replace(nil, epoch: nextEpoch(after: nil, now: now), now: now) : end(.fenced)\n        }"
            )),
        Mutation(
            "a released lease is watched like any other",
            harm: "a restart of a relay takes twelve seconds",
            Edit(
                relay: "LeaseMachine", "            if record.isReleased { return",
                "            if record.isReleased, sighting != nil { return")),
        Mutation(
            "a lease of the past is not replaced",
            harm: "after a failover two relays fence each other, or wait",
            Edit(
                relay: "LeaseMachine", "if record.epoch < epoch || record.epoch == epoch && isHead",
                "if record.epoch == epoch && isHead")),
        Mutation(
            "one epoch of two owners ends both",
            harm: "after a failover no relay is left",
            Edit(
                relay: "LeaseMachine", "record.epoch > epoch || isHead(of: record.owner, epoch: epoch)",
                "record.epoch >= epoch")),
        Mutation(
            "the epoch of the lease is used again",
            harm: "two relays write one epoch",
            Edit(
                relay: "LeaseMachine", "max(next, (record?.epoch ?? 0) + 1, (epoch ?? 0) + 1)",
                "max(next, record?.epoch ?? 0, (epoch ?? 0) + 1)")),
        Mutation(
            "a lease is not released at the end",
            harm: "a restart of a relay takes twelve seconds",
            Edit(relay: "LeaseMachine", "        released.isReleased = true\n", "")),
        Mutation(
            "a renewal may stay without an answer",
            harm: "a relay that is cut off goes on when its lease is another's",
            Edit(relay: "LeaseMachine", "case (.answer, .reading), (.answer, .replacing):", "case (.answer, .reading):")
        ),
        Mutation(
            "a process that stood still goes on",
            harm: "it appends before it looks whether another relay leads",
            Edit(relay: "LeaseMachine", "isLeadTold ? renewedAt.map { $0 + lease * 4 / 5 } : nil", "nil")),
        Mutation(
            "a renewal has the epoch of the first one",
            harm: "a successor chooses an epoch that is in use",
            Edit(relay: "LeaseMachine", "replace(held, epoch: epoch ?? held.epoch,", "replace(held, epoch: held.epoch,")
        ),
        Mutation(
            "revisions are counted",
            harm: "the release of an ended relay meets the lease of its successor",
            Edit(
                relay: "LeaseMachine", "(revision ?? 0) + UInt64.random(in: 1...1 << 20, using: &random)",
                "(revision ?? 0) + 1")),
        Mutation(
            "an answer of an older connection counts",
            harm: "the lease is taken by what the engine said before an outage",
            Edit(
                relay: "LeaseMachine", "        guard state == .reading else { return [] }\n",
                "        guard state != .ended else { return [] }\n")),
        Mutation(
            "a higher epoch of the lease is ignored after a reconnect",
            harm: "the relay writes an epoch that another one may have prepared",
            Edit(relay: "RelayMachine+Engine", "            obey(floor, now: now)\n", "")),
    ]
}
