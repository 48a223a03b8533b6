extension Mutation {
    static let all: [Mutation] = links + overlaps + times + topics

    private static let links = [
        Mutation(
            "forget to resubscribe after a reconnect",
            harm: "a channel that came back receives nothing, or dies unnoticed after 24 hours",
            Edit(
                "ChannelMachine+Confirmation", "guard !topics.isEmpty else { return confirmed(link.id, now: now) }",
                "guard !topics.isEmpty, !isEverConfirmed else { return confirmed(link.id, now: now) }"),
            Edit(
                "ChannelMachine+Confirmation", "guard granted.isSubset(of: next.subscribed) else",
                "guard isEverConfirmed || granted.isSubset(of: next.subscribed) else")),
        Mutation(
            "drop the old socket before the confirmation on the new one",
            harm: "each rollover loses what comes in between",
            Edit(
                "ChannelMachine+Links", "return (isPaused ? [.pauseReading(link)] : []) + subscribe(record, now: now)",
                """
                let dropped: [Action] = current.map { [.drop($0.id)] } ?? []
                            current = nil
                            return dropped + subscribe(record, now: now)
                """)),
        Mutation(
            "two terminal callbacks",
            harm: "a host that frees its state in the first one crashes in the second",
            Edit(
                "ChannelMachine+Links",
                "guard current == nil, candidate == nil else { return [] }\n            state = .ended",
                "guard current == nil, candidate == nil else { return [] }")),
        Mutation(
            "tell the host of events after close()",
            harm: "callbacks reach a host that has torn down what they need",
            Edit("ChannelMachine+Host", "        isSilent = true\n", "")),
        Mutation(
            "call a channel subscribed while it reconnects",
            harm: "a health check says that all is well during an outage",
            Edit(
                "ChannelState", "isEverConfirmed ? .recovering : .connecting",
                "isEverConfirmed ? .subscribed : .connecting")),
        Mutation(
            "treat 404 as something that passes",
            harm: "a channel that is gone is asked for, for a quarter of an hour, and nobody is told",
            Edit(
                "ChannelFailure", "case .httpUnauthorized, .httpForbidden, .httpNotFound, .subscriptionRefused,",
                "case .httpUnauthorized, .httpForbidden, .subscriptionRefused,")),
    ]

    private static let overlaps = [
        Mutation(
            "de-duplicate within one socket",
            harm: "a genuine repeat is swallowed",
            Edit("Deduplicator", "let isFresh = copies > entry.delivered", "let isFresh = entry.delivered == 0")),
        Mutation(
            "never end the de-duplication",
            harm: "memory, and genuine repeats across rollovers that are long over",
            Edit("ChannelMachine+Deadlines", "        if isHeard { deduplicator.end() }\n", "")),
        Mutation(
            "deliver what was held back out of order",
            harm: "an older state overwrites a newer one",
            Edit(
                "ChannelMachine+Messages", "settings.maxHeldByteCount else { return .hold }",
                "settings.maxHeldByteCount else { return .deliver }")),
        Mutation(
            "report a gap from the last byte",
            harm: "what was under way when the connection broke is missing and in no gap",
            Edit(
                "LinkRecord", "var heardUntil: ClockReading { previousBurst }",
                "var heardUntil: ClockReading { lastHeard }")),
        Mutation(
            "no gap after an outage",
            harm: "a host believes that it knows everything",
            Edit(
                "ChannelMachine+Confirmation",
                "        counts.reconnectCount += 1\n        let gap = lossGap(now: now)",
                "        counts.reconnectCount += 1\n        let gap: [Action] = []")),
        Mutation(
            "a gap after a clean rollover",
            harm: "each maintenance makes every host read its whole state again",
            Edit(
                "ChannelMachine+Rollover", "let gap = isHandedOver && !link.isDeprived ? [] : drainedUnproven(",
                "let gap = drainedUnproven(")),
        Mutation(
            "believe an old socket that says nothing",
            harm: "a rollover from a dead path loses notifications, and reports none",
            Edit("ChannelMachine+Rollover", "guard !link.isProven || isTakenOver else", "guard isTakenOver else")),
    ]

    private static let times = [
        Mutation(
            "reset the back-off too early",
            harm: "a service that accepts and dies is contacted ever more often",
            Edit("Reconnect", "now - recoveredAt < settings.stability", "now - recoveredAt < .zero")),
        Mutation(
            "ignore Retry-After",
            harm: "a busy service is kept busy, and blocks the client",
            Edit(
                "Reconnect", "max(settings.delay(attempt: attemptCount, random: &random), retryAfter ?? .zero)",
                "settings.delay(attempt: attemptCount, random: &random)")),
        Mutation(
            "give up when the next delay is longer than what is left",
            harm:
                "a channel is given up after half of its time, and misses a service that comes back in the other half",
            Edit("Reconnect", "delay = min(delay, budgetEnd - now)", "if delay > budgetEnd - now { return .giveUp }")),
        Mutation(
            "the watchdog watches a paused link",
            harm: "a host that takes its time loses a healthy connection",
            Edit("LinkRecord", "        heartbeat.suspend()\n", ""),
            Edit(
                "ChannelMachine+Deadlines",
                "            guard !isPaused else { return due }\n            return earliest(earliest(due",
                "            return earliest(earliest(due"),
            Edit(
                "ChannelMachine+Deadlines",
                "        guard !isPaused else { return actions }\n        actions += backlogOverdue(",
                "        actions += backlogOverdue(")),
        Mutation(
            // The loop polls before a deadline is judged, so the machine only learns that the loop was late.
            "a blocked loop is not noticed",
            harm: "what a blocked host reads late counts as just sent, and a gap begins too late",
            Edit(
                "ChannelMachine+Deadlines",
                "    package mutating func loopWasLate(now: ClockReading) {\n        current?.holdsBacklog = true\n",
                "    package mutating func loopWasLate(now: ClockReading) {\n")),
        Mutation(
            "the watchdog sleeps on after a pause",
            harm: "a dead path is trusted for ever",
            Edit("LinkRecord", "        heartbeat.restart(now: pause.end)\n", "")),
        Mutation(
            "answer every notice of changed subscriptions",
            harm: "a storm of commands, which the service answers with notices",
            Edit(
                "ChannelMachine+Notices", "now.instant - refreshedAt < ChannelMachine.refreshInterval else",
                "now.instant - refreshedAt < .zero else")),
    ]

    private static let topics = [
        Mutation(
            "forget a topic that was added during a rollover",
            harm: "its notifications stop with the old socket",
            Edit(
                "ChannelMachine+Confirmation",
                "guard granted.isSubset(of: next.subscribed) else",
                "guard granted.isEmpty || true else"),
            Edit(
                "ChannelMachine+Confirmation", " + probe(now: now) + synchronizeTopics(of: next, now: now)",
                " + probe(now: now)")),
        Mutation(
            "forget what the channel has from earlier connections",
            harm: "notifications of topics that nobody wants any longer",
            Edit("ChannelMachine+Commands", "return link.subscribed.union(earlier)", "return link.subscribed")),
        Mutation(
            "take a topic away before its combined one is there",
            harm: "notifications are lost in between",
            Edit("ChannelMachine+Commands", "return isRoom ? adding + removing", "return isRoom ? removing + adding"),
            Edit(
                "ChannelMachine+Commands",
                "        let adding = added.isEmpty ? [] : command(.add, added, on: link.id, now: now)\n", ""),
            Edit(
                "ChannelMachine+Commands",
                "        let removing = removed.isEmpty ? [] : command(.remove, removed, on: link.id, now: now)\n",
                """
                        let removing = removed.isEmpty ? [] : command(.remove, removed, on: link.id, now: now)
                        let adding = added.isEmpty ? [] : command(.add, added, on: link.id, now: now)

                """)),
    ]
}
