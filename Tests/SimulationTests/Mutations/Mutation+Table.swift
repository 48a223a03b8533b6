extension Mutation {
    static let all: [Mutation] =
        links + overlaps + times + topics + evidence + waits + echoes + schedules + platform + groups + relay + lease

    private static let links = [
        Mutation(
            "forget to resubscribe after a reconnect",
            harm: "a channel that came back receives nothing, or dies unnoticed after 24 hours",
            Edit(
                "ChannelMachine+Connection",
                "guard !subscriptions.wanted.isEmpty else { return confirmed(link.id, now: now) }",
                "guard !subscriptions.wanted.isEmpty, !isEverConfirmed else { return confirmed(link.id, now: now) }"),
            Edit(
                "ChannelMachine+Connection", "guard subscriptions.isComplete(on: next) else",
                "guard isEverConfirmed || subscriptions.isComplete(on: next) else")),
        Mutation(
            "drop the old socket before the confirmation on the new one",
            harm: "each rollover loses what comes in between",
            Edit(
                "ChannelMachine+Connection", "        candidate = record\n        subscribe(record, now: now)",
                """
                        candidate = record
                        if let current { emit(.drop(current.id)) }
                        current = nil
                        subscribe(record, now: now)
                """)),
        Mutation(
            "two terminal callbacks",
            harm: "a host that frees its state in the first one crashes in the second",
            Edit(
                "ChannelMachine", "mutating func finish(_ end: End) {\n        state = .ended\n",
                "mutating func finish(_ end: End) {\n        if end != .closed { state = .ended }\n")),
        Mutation(
            "tell the host of events after close()",
            harm: "callbacks reach a host that has torn down what they need",
            Edit("ChannelMachine", "        isSilent = true\n", "")),
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
            Edit("Overlap", "        echo = nil\n        deduplicator.end()\n", "        echo = nil\n")),
        Mutation(
            "deliver what was held back out of order",
            harm: "an older state overwrites a newer one",
            Edit(
                "ChannelMachine+Service", "                ? .hold : admitted(fingerprint, from: link)",
                "                ? .deliver : admitted(fingerprint, from: link)")),
        Mutation(
            "report a gap from the last byte",
            harm: "what was under way when the connection broke is missing and in no gap",
            Edit(
                "LinkEvidence", "var arrivedUntil: ClockReading { previousBurst }",
                "var arrivedUntil: ClockReading { lastRead }")),
        Mutation(
            "no gap after an outage",
            harm: "a host believes that it knows everything",
            Edit(
                "ChannelMachine+Connection",
                "            counts.reconnectCount += 1\n            reportLoss(now: now)\n",
                "            counts.reconnectCount += 1\n            loss = nil\n")),
        Mutation(
            "a gap after a clean rollover",
            harm: "each maintenance makes every host read its whole state again",
            Edit(
                "ChannelMachine+Rollover", "        if !isHandedOver { reportUnproven(end.failure.reason, now: now) }",
                "        if !isHandedOver || true { reportUnproven(end.failure.reason, now: now) }")),
        Mutation(
            "believe an old socket that says nothing",
            harm: "a rollover from a dead path loses notifications, and reports none",
            Edit(
                "ChannelMachine+Rollover", "guard !link.evidence.isProven || link.isDeprived || isOvertaken else",
                "guard link.isDeprived || isOvertaken else")),
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
            Edit("ChannelMachine", "        current?.heartbeat.suspend()\n", ""),
            Edit(
                "TimerTable", "duringPause: TimerSet = [.attempt,",
                "duringPause: TimerSet = [TimerSet(.currentSilence), .attempt,")),
        Mutation(
            // The loop polls before a deadline is judged, so the machine only learns that the loop was late.
            "a blocked loop is not noticed",
            harm: "what a blocked host reads late counts as just sent, and a gap begins too late",
            Edit(
                "TimerTable",
                "    package mutating func loopWasLate() {\n        current?.evidence.readingStalled()\n",
                "    package mutating func loopWasLate() {\n")),
        Mutation(
            "the watchdog sleeps on after a pause",
            harm: "a dead path is trusted for ever",
            Edit("LinkRecord", "        heartbeat.restart(now: pause.end)\n", "")),
        Mutation(
            "answer every notice of changed subscriptions",
            harm: "a storm of commands, which the service answers with notices",
            Edit(
                "Subscriptions", "now - refreshedAt < Subscriptions.refreshInterval else",
                "now - refreshedAt < .zero else")),
    ]

    private static let topics = [
        Mutation(
            "forget a topic that was added during a rollover",
            harm: "its notifications stop with the old socket",
            Edit(
                "ChannelMachine+Connection", "guard subscriptions.isComplete(on: next) else",
                "guard subscriptions.wanted.isEmpty || true else"),
            Edit(
                "ChannelMachine+Rollover",
                "        ask(now: now)\n        synchronizeTopics(of: next, now: now)\n", "        ask(now: now)\n")),
        Mutation(
            "forget what the channel has from earlier connections",
            harm: "notifications of topics that nobody wants any longer",
            Edit("Subscriptions", "return link.subscribed.union(earlier)", "return link.subscribed")),
        Mutation(
            "take a topic away before its combined one is there",
            harm: "notifications are lost in between",
            Edit(
                "Subscriptions", "isRoom ? [.add(added), .remove(removed)] : [.remove(removed), .add(added)]",
                "[.remove(removed), .add(added)]")),
    ]

    private static let evidence = [
        Mutation(
            "data is never in transit",
            harm: "what was under way when a link broke is missing and in no gap",
            Edit("LinkEvidence", "static let transit: Duration = .seconds(1)", "static let transit: Duration = .zero")),
        Mutation(
            "the last burst proves itself",
            harm: "a gap after a stalled path begins when the path was already dead",
            Edit(
                "LinkEvidence", "var arrivedUntil: ClockReading { previousBurst }",
                "var arrivedUntil: ClockReading { burst }")),
        Mutation(
            "a backlog counts as a burst",
            harm: "what a paused host reads late counts as just sent, and a gap begins too late",
            Edit("LinkEvidence", "guard !hasBacklog else { return hasBacklog = false }", "hasBacklog = false")),
        Mutation(
            "a pong without a ping is counted",
            harm: "the answer to the watchdog counts as the end of the old socket, whose last data is in no gap",
            Edit("LinkEvidence", "        guard pongCount < pingCount else { return false }\n", "")),
        Mutation(
            "an old answer proves a new question",
            harm: "a rollover from a path that died since loses notifications, and reports none",
            Edit("LinkEvidence", "pongCount >= question }", "pongCount > 0 }")),
        Mutation(
            "a Close frame that waited during a pause proves a hand-over",
            harm: "what the service had between that frame and the new socket is in no gap",
            Edit("LinkEvidence", "        unwatchedSuccessor = successor\n", "")),
    ]

    private static let waits = [
        Mutation(
            "a Close frame that a blocked loop read late proves a hand-over",
            harm: "what the service had between that frame and the new socket is in no gap",
            Edit(
                "TimerTable", "if let candidate, candidate.openedAt == nil {",
                "if let candidate, candidate.openedAt == nil, isPaused {")),
        Mutation(
            "the data of a new socket that waited unread has a known age",
            harm: "a gap just after a rollover begins too late",
            Edit("ChannelMachine+Rollover", "        candidate?.evidence.readingStalled()\n", "")),
        Mutation(
            "an old socket is given up over a refused refresh without proof",
            harm: "what was in transit on it is missing and in no gap",
            Edit(
                "ChannelMachine+Service",
                "            reportUnproven(failure.reason, now: now)\n        }\n        promote(",
                "        }\n        promote(")),
        Mutation(
            "forget the changes that waited when a removal is refused",
            harm: "the host's last change never reaches the service",
            Edit("ChannelMachine+Connection", "if isAnswered { catchUp(on: link, now: now) }", "")),
    ]

    private static let echoes = [
        Mutation(
            "any pong ends the echo",
            harm: "copies that are still under way are delivered twice",
            Edit("ChannelMachine+Service", "if isProof, state == .live {", "if isProof || true, state == .live {")),
        Mutation(
            "the echo ends at its limit on a stalled path",
            harm: "the copies on that path are delivered twice when it recovers",
            Edit(
                "Overlap", "guard isProven || arrivedUntil >= echo.start, deferred.links.isEmpty else",
                "guard isProven || arrivedUntil >= echo.start || true, deferred.links.isEmpty else")),
        Mutation(
            "the echo ends before held messages are released",
            harm: "what the old socket delivered comes once more from a successor that failed",
            Edit("Overlap", "if echo != nil, deferred.links.isEmpty { endEcho() }", "if echo != nil { endEcho() }")),
        Mutation(
            "held messages are forgotten when the channel ends",
            harm: "notifications that arrived are lost, and no gap says so",
            Edit(
                "ChannelMachine+Rollover", "mutating func releaseEverything() {\n        releaseDeferred()\n",
                "mutating func releaseEverything() {\n")),
    ]

    private static let schedules = [
        Mutation(
            "a channel that yields takes itself back",
            harm: "two programs of which one is to replace the other take the channel from each other",
            Edit("Takeover", "        guard policy == .reconnect else { return true }\n", "")),
        Mutation(
            "a channel yields to every loss",
            harm: "a network that fails for a moment ends it",
            Edit(
                "ChannelMachine+Connection", "if end.isTakeover(of: link, now: now), takeover",
                "if settings.takeover == .yield || end.isTakeover(of: link, now: now), takeover")),
        Mutation(
            "the old link has no watchdog while rolling over",
            harm: "a dead old link counts as alive for as long as the new one needs",
            Edit(
                "TimerTable", "[.lifetime, .release, .candidate, .current]",
                "[.lifetime, .release, .candidate, TimerSet(.currentCommand)]")),
        Mutation(
            "what a timer makes due is done at once",
            harm: "a rollover starts before the host has heard of the notice, and could have chosen another one",
            Edit(
                "TimerTable", "for timer in due where isDue(timer, now: now)",
                "for timer in due + ChannelTimer.allCases where isDue(timer, now: now)")),
        Mutation(
            "a command is sent again unchanged",
            harm: "the second copy undoes what the host changed after the first",
            Edit(
                "Subscriptions",
                """
                            link.pending[index].revise(wanted.filter(link.subscribed.contains), subscribed: link.subscribed)

                """, "")),
        Mutation(
            "forget that an earlier command asked for a refused topic",
            harm: "the channel keeps a topic that nobody wants any longer",
            Edit("Subscriptions", "subtract(refused.intersection(pending.firstAsked))", "subtract(refused)")),
        Mutation(
            "try a refused removal again with each change",
            harm: "commands that the service refuses again and again",
            Edit("Subscriptions", "if isAnswered { asked[link.endpoint]?.subtract(pending.topics) }", "")),
        Mutation(
            "forget the jitter after a maintenance notice",
            harm: "all channels of a process reconnect at the same moment",
            Edit(
                "Maintenance", "now + random.duration(in: .zero...max(.zero, settings.rolloverJitter))", "now")),
        Mutation(
            "the failures of an earlier rollover delay the next maintenance",
            harm: "a rollover that fails once is not tried again within the minute that the service grants",
            Edit("Maintenance", "        failureCount = 0\n        guard settings", "        guard settings")),
    ]
}
