/// Faults of the machines of `GenesysPlatform`. The numbers of the traps are those of the platform sheet, §7.
extension Mutation {
    static let platform: [Mutation] = tokens + made + granted + answers + lives

    private static let tokens = [
        Mutation(
            "stay on the old token's channel",
            harm: "all channels end with the token that made them (trap 1)",
            Edit(
                platform: "ProvisionedChannelMachine+Moving",
                "guard let token, let channel, channel.token.id != token.id, move == nil else { return }",
                "guard let token, let channel, channel.token.id == token.id, move == nil, failedMoves > 99 else { return }"
            )),
        Mutation(
            "ask about a channel with the present token",
            harm: "the service says that the channel does not exist (trap 2)",
            Edit(
                platform: "Provisioning", "return .call(.setTopics(topics, of: channel.id), channel.token)",
                "return .call(.setTopics(topics, of: channel.id), nil)")),
        Mutation(
            "get a new token for each call that was refused",
            harm: "the second one ends the first one, and so on (trap 3)",
            Edit(
                platform: "TokenMachine", "guard let current, current.id == token else { return false }",
                "guard let current else { return false }")),
        Mutation(
            "get new tokens for a call that is refused with each",
            harm: "requests without end (trap 4)",
            Edit(
                platform: "RESTMachine+Calls",
                "        if wasPresent, call.isRefreshed { return end(call.id, .failure(failure)) }\n",
                "")),
        Mutation(
            "take too many token requests for a wrong client",
            harm: "a busy moment ends the channel for good (trap 5)",
            Edit(
                platform: "RESTFailure", "if said.contains(\"rate limit exceeded\") {",
                "if said.contains(\"too many tokens\") {")),
        Mutation(
            "ask for tokens after a short interval",
            harm: "the tokens of other processes end, and their channels (trap 6)",
            Edit(
                platform: "TokenMachine", "static let minInterval: Duration = .seconds(1)",
                "static let minInterval: Duration = .milliseconds(100)")),
    ]

    private static let made = [
        Mutation(
            "count the channels without the new one",
            harm: "nobody sees that the next channel removes one (trap 7)",
            Edit(
                platform: "Provisioning", "channel, reply.token, ours: count + 1,",
                "channel, reply.token, ours: count,")),
        Mutation(
            "repeat a creation whose answer is lost",
            harm: "channels that nobody uses take the place of others (trap 8)",
            Edit(
                platform: "RetrySchedule",
                "        if call == .createChannel, failure.mayHaveActed { return .giveUp }\n",
                "")),
        Mutation(
            "adopt the channel of another caller",
            harm: "two programs share a channel, and take its socket from each other (trap 8)",
            Edit(
                platform: "Provisioning", ".union(reply.claimed)",
                "")),
        Mutation(
            "list the channels while one is being created",
            harm: "a channel whose owner is not known yet is adopted (trap 8)",
            Edit(
                platform: "RESTMachine+Calls", "        case .listChannels: other = .createChannel\n",
                "        case .listChannels: return false\n")),
        Mutation(
            "adopt any channel of a token that others have",
            harm: "two processes share a channel (trap 8)",
            Edit(
                platform: "Provisioning", "        if !token.isExclusive {",
                "        if !token.isExclusive, unknown.isEmpty {")),
        Mutation(
            "forget how long a channel lives",
            harm: "a channel with a short life ends before it is left (trap 14)",
            Edit(
                platform: "Provisioning",
                "let life = listed.remaining.flatMap { $0 > .zero ? $0 : nil } ?? MadeChannel.usualLife",
                "let life = MadeChannel.usualLife")),
        Mutation(
            "adopt what has no id",
            harm: "a channel of another token, which cannot be used (trap 19)",
            Edit(
                platform: "Provisioning", "channel.uri != nil && channel.id.map { !known.contains($0) } ?? false",
                "channel.id.map { !known.contains($0) } ?? true")),
    ]

    private static let granted = [
        Mutation(
            "change topics over the WebSocket before it is confirmed",
            harm: "two writers, and the last one wins (trap 9)",
            Edit(
                platform: "ProvisionedChannelMachine", "        if state == .live { synchronize() }\n",
                "        synchronize()\n")),
        Mutation(
            "subscribe to what REST refused",
            harm: "one topic without permission makes the whole subscription fail (trap 10)",
            Edit(
                platform: "ProvisionedChannelMachine+Providing", "        subscribed = grant.permitted\n",
                "        subscribed = wanted\n")),
        Mutation(
            "believe a combined topic more than its names",
            harm: "the channel asks for a name that is refused (trap 11)",
            Edit(
                platform: "TopicGrant", "verdict: entries[$0] ?? entries[topic])",
                "verdict: entries[topic] ?? entries[$0])")),
    ]

    private static let answers = [
        Mutation(
            "sleep for hours without a word",
            harm: "a program waits for two hours, and nobody knows why (trap 12)",
            Edit(
                platform: "RESTMachine+Calls", "        emit(.tell(.throttled(opensAt - now)))\n",
                "")),
        Mutation(
            "wait for a Retry-After beyond the limit",
            harm: "a first connection takes hours instead of a minute (trap 12)",
            Edit(
                platform: "RESTMachine+Calls", "guard let limit = call.limit, limit < turn else {",
                "guard let limit = call.limit, limit < turn, turn < now else {")),
        Mutation(
            "let all calls start when the gate opens",
            harm: "all of them are refused again (trap 13)",
            Edit(
                platform: "RateGate", "            gap = random.duration(in: RateGate.spread)\n",
                "")),
        Mutation(
            "the gate of a token lets other calls through",
            harm: "calls go on although the service asked to wait (trap 13)",
            Edit(
                platform: "RESTMachine+Calls", "if !hasTurn || gate.isClosed(now: now) {",
                "if hasTurn, gate.isClosed(now: now) {")),
        Mutation(
            "quote the whole page of a gateway",
            harm: "a log line of a megabyte (trap 15)",
            Edit(
                platform: "RESTFailure", "limit: Int = RESTCall.excerptByteCount",
                "limit: Int = 1 << 20")),
        Mutation(
            "take a redirect for a refusal like others",
            harm: "nobody learns that a log-in page answers (trap 16)",
            Edit(
                platform: "RESTFailure", "        case 300...399:\n",
                "        case 399:\n")),
        Mutation(
            "repeat the secrets that a server quotes",
            harm: "a token in a log (trap 17)",
            Edit(
                platform: "RESTFailure", "PeerText.excerpt(SecretFilter(secrets.map(\\.bytes)).filtered(text),",
                "PeerText.excerpt(text,")),
    ]

    private static let lives = [
        Mutation(
            "move while the channel rolls over for maintenance",
            harm: "the service ends the old connection, and a gap follows",
            Edit(
                platform: "ProvisionedChannelMachine+Moving",
                "        guard connectionState != .rollingOver else { return move = .ready(successor) }\n",
                "")),
        Mutation(
            "give up the successor of a move that failed",
            harm: "the topics of the channel that the connection reaches after all are gone",
            Edit(
                platform: "ProvisionedChannelMachine+Moving",
                "            abandoned.append(successor)\n            postponeMove(",
                "            retire(successor.channel)\n            postponeMove(")),
        Mutation(
            "make a channel for each attempt of a move",
            harm: "while connections fail, idle channels take the places of others",
            Edit(
                platform: "Provisioning",
                "guard let kept, channels.contains(where: { $0.id == kept.id }) else { return create(now: now) }",
                "guard let kept, channels.isEmpty else { return create(now: now) }")),
        Mutation(
            "take a replacement for a reconnect",
            harm: "a host believes that its channel came back, and that is another one",
            Edit(
                platform: "ProvisionedChannelMachine+Moving",
                "let isReplaced = hasArrived && recovery.method == .reconnect", "let isReplaced = false")),
        Mutation(
            "replace a channel without its gap",
            harm: "a host believes that it knows everything",
            Edit(
                platform: "ProvisionedChannelMachine+Providing",
                "        emit(.tell(.didMiss(Gap(from: from, to: max(from, now.wall), reason: loss.reason))))\n",
                "        _ = from\n")),
        Mutation(
            "replace a channel that is gone at once, each time",
            harm: "two programs with one client remove each other's channels in a loop",
            Edit(
                platform: "Replacement", "var delay = self.delay(attempt: count, random: &random)",
                "var delay = self.delay(attempt: 0, random: &random)")),
        Mutation(
            "the neighbor of a refused call waits in its place",
            harm: "a wrong call waits, or the process ends",
            Edit(
                platform: "RESTMachine+Calls",
                "guard let index = calls.firstIndex(where: { $0.id == call.id }) else { return }\n        let decision",
                "guard let index = calls.lastIndex(where: { $0.id != call.id || calls.count == 1 }) else { return }\n        let decision"
            )),
        Mutation(
            "calls go on after close()",
            harm: "a program that has left makes channels",
            Edit(
                platform: "ProvisionedChannelMachine",
                "            stopProvisioning()\n            move = nil\n            state = .closing\n",
                "            move = nil\n            state = .closing\n")),
    ]
}
