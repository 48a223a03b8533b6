import GenesysLoop
import Testing

@testable import GenesysPlatform

/// One channel that is made over REST and kept. Traps: platform sheet §7.
@Suite struct ProvisionedChannelTests {
    // MARK: - The first connection

    @Test func `the quota is read, a channel made, the topics set, and then it connects`() {
        var stage = ProvisionedStage()
        #expect(stage.start() == ["call 1 GET list"])
        #expect(stage.machine.channelState == .connecting)
        let others = [ListedChannel(), ProvisionedStage.listed("x")]
        #expect(stage.answer(.channels(others)) == ["call 2 POST"])
        #expect(stage.answer() == ["made 2/3", "call 3 PUT with 1"])
        #expect(stage.answer() == ["open c1"])
        #expect(stage.openedTopics == ProvisionedStage.topics)
        #expect(stage.subscribed() == ["subscribed"])
        #expect(stage.machine.channelState == .subscribed)
    }

    @Test func `without topics nothing is set`() {
        var stage = ProvisionedStage(topics: [])
        _ = stage.start() + stage.answer()
        #expect(stage.answer() == ["made 1/1", "open c1"])
    }

    @Test func `the limit covers token, REST and connection together`() {
        var backoff = ReconnectPolicy.Backoff()
        backoff.initialTotal = .seconds(20)
        var stage = ProvisionedStage(policy: .backoff(backoff))
        _ = stage.start()
        #expect(stage.limits == [stage.now.instant + .seconds(20)])
        stage.pass(15)
        _ = stage.ready()
        #expect(stage.total == .seconds(5))
        var late = ProvisionedStage(policy: .backoff(backoff))
        _ = late.start()
        late.pass(25)
        _ = late.ready()
        #expect(late.total == .zero, "one attempt")
        backoff.initialTotal = nil
        var endless = ProvisionedStage(policy: .backoff(backoff))
        _ = endless.start() + endless.ready()
        #expect(endless.limits[0] == nil)
        #expect(endless.total == nil)
    }

    @Test func `a list that is refused does not prevent the channel`() {
        for status in [403, 404, 400, 500] {
            var stage = ProvisionedStage()
            _ = stage.start()
            #expect(stage.fail(status) == ["call 2 POST"])
            #expect(stage.answer().first == "made 1/-")
        }
    }

    @Test func `a refused name is asked for again when a combined topic that has it is removed`() {
        var stage = ProvisionedStage.live(topics: ["v2.a.b"])
        _ = stage.want(["v2.a.b", "v2.c.d"])
        _ = stage.rejected(["v2.c.d"])
        _ = stage.want(["v2.a.b", "v2.c.d", "v2.c?d&e"])
        #expect(stage.channelTopics == ["v2.a.b", "v2.c?d&e"])
        _ = stage.want(["v2.a.b", "v2.c.d"])
        #expect(stage.channelTopics == ["v2.a.b", "v2.c.d"])
    }

    @Test func `a topic that is added while all others are being refused is asked for`() {
        var stage = ProvisionedStage(topics: ["v2.a.b"])
        _ = stage.start() + stage.answer() + stage.answer()
        #expect(stage.want(["v2.a.b", "v2.a.c"]) == [])
        let words = stage.answer(.topics([TopicVerdict("v2.a.b", isPermitted: false)]))
        #expect(words.last == "open c1", "\(words)")
        _ = stage.subscribed()
        #expect(stage.channelTopics == ["v2.a.c"])
    }

    @Test func `without a token nothing is created, whatever the token endpoint answered`() {
        for status in [200, 302, 403, 500] {
            var stage = ProvisionedStage()
            _ = stage.start()
            #expect(stage.fail(status, of: .mintToken).first?.hasPrefix("failed") ?? false)
        }
    }

    @Test func `a failure of REST ends the first connection, with kind and phase`() {
        var token = ProvisionedStage()
        _ = token.start()
        #expect(token.fail(.sameToken) == ["failed initialization.authorization httpUnauthorized token"])
        var list = ProvisionedStage()
        _ = list.start()
        #expect(list.fail(401) == ["failed initialization.authorization httpUnauthorized provision"])
        var service = ProvisionedStage()
        _ = service.start()
        #expect(service.fail(503) == ["failed initialization.connection invalidStatusCode provision"])
        var creation = ProvisionedStage()
        _ = creation.start() + creation.answer()
        #expect(creation.fail(403) == ["failed initialization.authorization httpForbidden provision"])
        var topics = ProvisionedStage()
        _ = topics.start() + topics.answer() + topics.answer()
        #expect(topics.fail(400) == ["failed initialization.authorization subscriptionRefused provision"])
    }

    @Test func `20 of 20: the new one removes another, and the count stays`() {
        var stage = ProvisionedStage()
        _ = stage.start()
        _ = stage.answer(.channels(Array(repeating: ListedChannel(), count: 20)))
        #expect(stage.answer().first == "made 1/20")
    }

    // MARK: - A creation without an answer (trap 8)

    @Test func `a channel whose creation has no answer is found in the list and adopted`() {
        var stage = ProvisionedStage()
        _ = stage.start()
        _ = stage.answer(.channels([ProvisionedStage.listed("old")]))
        #expect(stage.fail(RESTStage.broken(mayHaveActed: true)) == ["call 3 GET list with 1"])
        let list = [ProvisionedStage.listed("old"), ListedChannel(), ProvisionedStage.listed("c7")]
        #expect(stage.answer(.channels(list)) == ["made 2/3", "call 4 PUT with 1"])
        #expect(stage.answer() == ["open c7"])
    }

    @Test func `a channel that is not in the list is made again, after a while`() {
        var stage = ProvisionedStage()
        _ = stage.start()
        _ = stage.answer(.channels([ProvisionedStage.listed("old")])) + stage.fail(504)
        #expect(stage.answer(.channels([ProvisionedStage.listed("old"), ListedChannel()])) == [])
        #expect(stage.run(2.9) == [])
        #expect(stage.run(2) == ["call 4 POST"])
    }

    @Test func `without the list before the creation nothing is adopted`() {
        var stage = ProvisionedStage()
        _ = stage.start() + stage.fail(403) + stage.fail(504)
        #expect(stage.answer(.channels([ProvisionedStage.listed("c9")])) == [])
        #expect(stage.run(5) == ["call 4 POST"])
    }

    @Test(arguments: [(86_400.0, true), (86_395, true), (80_000, false), (90_000, false)])
    func `with a token of others only a channel that fits the moment is adopted`(remaining: Double, isAdopted: Bool) {
        var stage = ProvisionedStage()
        stage.token = ProvisionedStage.token(1, isExclusive: false)
        _ = stage.start() + stage.answer() + stage.fail(504)
        let words = stage.answer(.channels([ProvisionedStage.listed("c9", remaining: .seconds(remaining))]))
        #expect(words == (isAdopted ? ["made 1/1", "call 4 PUT with 1"] : []))
    }

    @Test func `two unknown channels of a token of others: none is ours for certain`() {
        var stage = ProvisionedStage()
        stage.token = ProvisionedStage.token(1, isExclusive: false)
        _ = stage.start() + stage.answer() + stage.fail(504)
        #expect(stage.answer(.channels([ProvisionedStage.listed("c8"), ProvisionedStage.listed("c9")])) == [])
    }

    @Test func `500 is an answer: a creation is not repeated after it`() {
        var stage = ProvisionedStage()
        _ = stage.start() + stage.answer()
        #expect(stage.fail(500) == ["failed initialization.connection invalidStatusCode provision"])
    }

    @Test func `two creations whose answers cannot be used end it (76)`() {
        var stage = ProvisionedStage()
        _ = stage.start() + stage.answer()
        #expect(stage.fail(200).first == "call 3 GET list with 1")
        _ = stage.answer() + stage.run(5)
        _ = stage.fail(200)
        #expect(stage.answer() == ["failed initialization.connection invalidMessage provision"])
        #expect(stage.failure?.remedy == .reportToPeer)
    }

    // MARK: - Topics

    @Test func `a refused topic is reported with its reason, and the channel gets the others (trap 10)`() {
        var stage = ProvisionedStage()
        _ = stage.start() + stage.answer() + stage.answer()
        let verdicts = [
            TopicVerdict("v2.users.1.presence", isPermitted: false, reason: "no", missingPermissions: ["a:b:view"]),
            TopicVerdict("v2.users.2?presence&routingStatus", isPermitted: true),
        ]
        #expect(stage.answer(.topics(verdicts)) == [#"rejected ["presence"]"#, "open c1"])
        #expect(stage.openedTopics == ["v2.users.2?presence&routingStatus"])
        let expected = RejectedTopics.Rejection(
            topic: "v2.users.1.presence", reason: "no", missingPermissions: ["a:b:view"])
        #expect(stage.rejections.map(\.rejections) == [[expected]])
    }

    @Test func `a combined topic that is refused in part is set again with single names (trap 11)`() {
        var stage = ProvisionedStage(topics: ["v2.users.2?presence&routingStatus&station"])
        _ = stage.start() + stage.answer() + stage.answer()
        let verdicts = [
            TopicVerdict("v2.users.2?presence&routingStatus&station", isPermitted: true),
            TopicVerdict("v2.users.2.station", isPermitted: false),
        ]
        #expect(stage.answer(.topics(verdicts)) == [#"call 4 PUT with 1"#])
        #expect(
            stage.open.last?.call
                == .setTopics(
                    ["v2.users.2.presence", "v2.users.2.routingStatus"], of: SecretBytes("c1")))
        #expect(stage.answer() == [#"rejected [".station"]"#, "open c1"])
        #expect(stage.openedTopics == ["v2.users.2.presence", "v2.users.2.routingStatus"])
    }

    @Test func `a topic that the answer does not mention is refused with the reason "unknown"`() {
        var stage = ProvisionedStage()
        _ = stage.start() + stage.answer() + stage.answer()
        _ = stage.answer(.topics([TopicVerdict("v2.users.2?presence&routingStatus", isPermitted: true)]))
        #expect(
            stage.rejections.map(\.rejections) == [
                [RejectedTopics.Rejection(topic: "v2.users.1.presence", reason: "unknown")]
            ])
    }

    @Test func `all topics refused: the channel ends (78)`() {
        var stage = ProvisionedStage(topics: ["v2.a.b"])
        _ = stage.start() + stage.answer() + stage.answer()
        let words = stage.answer(.topics([TopicVerdict("v2.a.b", isPermitted: false, missingPermissions: ["x:y"])]))
        #expect(
            words == [#"rejected ["v2.a.b"]"#, "failed initialization.authorization subscriptionRefused provision"])
        #expect(stage.failure?.consequence.exitStatus == .refused)
        let sentence = stage.failure.map { "\($0)" } ?? ""
        #expect(sentence.hasPrefix("The channel could not be opened: the service refused all topics"))
        #expect(sentence.contains("x:y") && sentence.contains("v2.a.b"), "\(sentence)")
    }

    @Test func `topics change over the WebSocket once it is confirmed, and not before (trap 9)`() {
        var stage = ProvisionedStage()
        _ = stage.start() + stage.answer() + stage.answer()
        #expect(stage.want(["v2.users.1.presence", "v2.new.one"]) == [])
        #expect(stage.answer() == ["open c1"])
        #expect(stage.openedTopics == ProvisionedStage.topics, "what was set over REST")
        #expect(stage.subscribed() == ["subscribed", #"set ["presence", "one"]"#])
        #expect(stage.want(["v2.new.one"]) == [#"set ["one"]"#])
        #expect(stage.want(["v2.new.one"]) == [])
    }

    @Test func `topics that change before they are set are set as they are then`() {
        var stage = ProvisionedStage()
        _ = stage.start() + stage.want(["v2.new.one"]) + stage.answer() + stage.answer()
        #expect(stage.open.last?.call == .setTopics(["v2.new.one"], of: SecretBytes("c1")))
    }

    @Test func `a topic that is refused over the WebSocket is not asked for with the next change`() {
        var stage = ProvisionedStage.live(topics: ["v2.a.b"])
        _ = stage.want(["v2.a.b", "v2.c.d"])
        #expect(stage.rejected(["v2.c.d"]) == [#"rejected ["v2.c.d"]"#])
        _ = stage.want(["v2.a.b", "v2.c.d", "v2.e.f"])
        #expect(stage.channelTopics == ["v2.a.b", "v2.e.f"])
        // Removed and added again, it is asked for again.
        _ = stage.want(["v2.a.b"]) + stage.want(["v2.a.b", "v2.c.d"])
        #expect(stage.channelTopics == ["v2.a.b", "v2.c.d"])
    }

    @Test func `single names that are too many for a channel are combined again`() {
        let wanted = (0..<1_000).map { Topic("v2.users.u\($0)?presence&routingStatus&station") }
        let verdicts = wanted.flatMap { topic in
            [TopicVerdict(topic, isPermitted: true), TopicVerdict(topic.expanded[2], isPermitted: false)]
        }
        let grant = TopicGrant(asked: wanted, verdicts: verdicts)
        #expect(grant.permitted.count == 1_000)
        #expect(grant.permitted[7] == "v2.users.u7?presence&routingStatus")
        #expect(grant.permitted == grant.topics(of: wanted))
    }

    // MARK: - A channel that is gone

    @Test(arguments: [
        FailureReason.httpNotFound, .channelExpired, .tokenRevoked, .httpUnauthorized, .httpForbidden,
        .channelTakenOver,
        .subscriptionRefused,
    ])
    func `a channel that is gone is replaced, with its gap`(reason: FailureReason) {
        var stage = ProvisionedStage.live()
        stage.pass(1_000)
        let words = stage.failed(reason, after: 3)
        let isToken = reason == .tokenRevoked || reason == .httpUnauthorized
        #expect(words == (isToken ? ["discard 1"] : []) + ["gone \(reason)", "reconnect #1 \(reason)"])
        #expect(stage.machine.channelState == .recovering)
        let from = stage.now.wall + .seconds(-3)
        #expect(stage.run(1) == ["call 4 GET list"])
        #expect(stage.ready() == ["call 5 POST", "made 1/1", "call 6 PUT with 1", "open c2"])
        #expect(stage.subscribed() == ["gap \(reason)", "recovered replacement"])
        #expect(stage.gaps == [Gap(from: from, to: stage.now.wall, reason: reason)])
        #expect(stage.recoveries.last?.reconnectCount == 1)
    }

    @Test func `the gap of a channel that reconnected in vain names the first loss`() {
        var stage = ProvisionedStage.live()
        stage.pass(1_000)
        #expect(stage.willReconnect(.heartbeatLost) == ["reconnect #1 heartbeatLost"])
        stage.pass(10)
        _ = stage.failed(.httpNotFound, after: 20) + stage.run(1) + stage.ready() + stage.subscribed()
        #expect(stage.gaps.map(\.reason) == [.heartbeatLost])
    }

    @Test func `a new channel that is gone before it is confirmed ends it: once each`() {
        var stage = ProvisionedStage.live()
        _ = stage.failed(.httpNotFound, after: 1) + stage.run(1) + stage.ready()
        #expect(stage.failed(.httpNotFound) == ["failed recovery.reconnect httpNotFound provision"])
        #expect(stage.failure?.remedy == .retryLater)
        // The very first channel is replaced once too.
        var first = ProvisionedStage()
        _ = first.start() + first.ready()
        #expect(first.failed(.httpNotFound) == ["gone httpNotFound", "reconnect #1 httpNotFound"])
        _ = first.run(1) + first.ready()
        #expect(first.failed(.httpForbidden) == ["failed recovery.reconnect httpForbidden upgrade"])
    }

    @Test func `the first confirmation after a lost first channel is no recovery`() {
        var stage = ProvisionedStage()
        _ = stage.start() + stage.ready() + stage.failed(.httpNotFound) + stage.run(1) + stage.ready()
        #expect(stage.subscribed() == ["subscribed"])
        // A later loss has a gap of its own.
        stage.pass(100)
        _ = stage.failed(.httpNotFound, after: 2) + stage.run(1) + stage.ready() + stage.subscribed()
        #expect(stage.gaps.map(\.from) == [stage.now.wall + .seconds(-3)])
    }

    @Test func `channels that are removed again and again are replaced ever more slowly, until the outage is too long`()
    {
        var stage = ProvisionedStage.live()
        var count = 0
        let start = stage.seconds
        while stage.machine.state != .ended, count < 500 {
            stage.pass(1)
            _ = stage.failed(.httpNotFound, after: 1)
            while stage.open.isEmpty, stage.machine.state != .ended { _ = stage.run(1) }
            _ = stage.ready() + (stage.machine.state == .opening ? stage.subscribed() : [])
            count += 1
        }
        #expect(count < 60, "\(count)")
        #expect((900...1_100).contains(stage.seconds - start))
        #expect(stage.failure?.kind == .reconnect)
    }

    @Test(arguments: [
        FailureReason.connect, .timeout, .tlsUnknownIssuer, .messageTooLarge, .protocolViolation, .dns, .proxy,
    ])
    func `another failure of the channel is final`(reason: FailureReason) {
        var stage = ProvisionedStage.live()
        #expect(stage.failed(reason, after: 1) == ["failed recovery.reconnect \(reason) upgrade"])
    }

    @Test func `the policies "never" and "once" hold for replacements too`() {
        var never = ProvisionedStage.live(policy: .never)
        #expect(never.failed(.httpNotFound, after: 1) == ["failed recovery.reconnect httpNotFound provision"])
        var once = ProvisionedStage.live(policy: .once)
        _ = once.failed(.httpNotFound, after: 1) + once.run(1) + once.ready() + once.subscribed()
        #expect(once.failed(.httpNotFound, after: 1) == ["failed recovery.reconnect httpNotFound provision"])
    }

    @Test func `a channel that is gone while its topics are set is made again, once`() {
        var stage = ProvisionedStage()
        _ = stage.start() + stage.answer() + stage.answer()
        #expect(stage.fail(404) == ["gone httpNotFound", "call 4 GET list"])
        _ = stage.answer() + stage.answer()
        #expect(stage.fail(404) == ["gone httpNotFound", "failed initialization.connection httpNotFound provision"])
    }

    @Test func `topics that changed before the channel was gone are set on the next one`() {
        var stage = ProvisionedStage(topics: ["v2.a.b"])
        _ = stage.start() + stage.answer() + stage.answer() + stage.want(["v2.c.d"])
        _ = stage.fail(404) + stage.answer() + stage.answer()
        #expect(stage.open.last?.call == .setTopics(["v2.c.d"], of: SecretBytes("c2")))
    }

    @Test func `403 for another token than the channel's means that the channel is not there (trap 2)`() {
        var stage = ProvisionedStage()
        _ = stage.start() + stage.answer() + stage.answer()
        let call = RESTCall.setTopics([], of: SecretBytes("c1"))
        guard case .failure(let failure) = call.outcome(of: RESTAnswer(status: 403, body: SecretBytes("")), hiding: [])
        else { return }
        #expect(
            stage.reply(.failure(failure), token: ProvisionedStage.token(2)) == [
                "gone httpNotFound", "call 4 GET list",
            ])
    }

    // MARK: - The end

    @Test func `closing ends it at once in every state before a channel is open`() {
        var idle = ProvisionedStage()
        #expect(idle.close() == ["closed"])
        for count in 0...2 {
            var stage = ProvisionedStage()
            _ = stage.start()
            for _ in 0..<count { _ = stage.answer() }
            #expect(stage.close() == ["cancel \(count + 1)", "closed"])
            #expect(stage.close() == [])
            #expect(stage.machine.nextDeadline == nil)
        }
        var waiting = ProvisionedStage.live()
        _ = waiting.failed(.httpNotFound, after: 1)
        #expect(waiting.close() == ["closed"])
    }

    @Test func `closing an open channel waits for its end, and nothing else follows`() {
        var stage = ProvisionedStage.live()
        _ = stage.renewToken()
        #expect(stage.close() == ["cancel 4", "close"])
        #expect(stage.run(100_000) == [])
        #expect(stage.closed() == ["closed"])
        var failed = ProvisionedStage.live()
        _ = failed.close()
        #expect(failed.failed(.connect, after: 1) == ["closed"])
    }

    @Test func `a channel that closed by itself, without a delegate, ends it`() {
        var stage = ProvisionedStage.live()
        #expect(stage.closed() == ["closed"])
    }
}
