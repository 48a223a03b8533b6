import Testing

@testable import GenesysLoop

@Suite struct TopicChangeTests {
    private func commands(_ actions: [ChannelMachine.Action]) -> [OutgoingCommand] {
        actions.compactMap { action in
            guard case .send(_, let command) = action else { return nil }
            return command
        }
    }

    private func topics(_ command: OutgoingCommand?) -> [Topic] {
        switch command {
        case .subscribe(let topics, _), .unsubscribe(let topics, _): topics
        case .ping, nil: []
        }
    }

    @Test func `only the difference goes to the service`() {
        var stage = Stage.live()
        let sent = commands(stage.setTopics(["v2.b", "v2.c"]))
        #expect(sent.map(topics) == [["v2.c"], ["v2.a"]], "a combined topic may stand for what a single one did")
        #expect(stage.setTopics(["v2.c", "v2.b"]) == [])
    }

    @Test func `a refused addition is told and not wanted any longer`() {
        var stage = Stage.live()
        stage.setTopics(["v2.a", "v2.b", "v2.c"])
        let actions = stage.refuse(.first, 400, "no such topic")
        #expect(actions == [.tell(.didReject(RejectedTopics(topics: ["v2.c"], status: 400, message: "no such topic")))])
        #expect(stage.machine.subscriptions.wanted == ["v2.a", "v2.b"])
        stage.ended(.first, .reset)
        stage.wait(.seconds(1))
        #expect(topics(commands(stage.opened(.second)).first) == ["v2.a", "v2.b"])
    }

    @Test func `an addition that nobody answers is rejected after its resend, and taken back`() {
        var stage = Stage.live()
        stage.setTopics(["v2.a", "v2.b", "v2.c"])
        #expect(words(stage.wait(.seconds(10))) == "subscribe 1, didReject, unsubscribe 1")
    }

    @Test func `an addition that was sent twice and refused once may hold, and is taken back`() {
        var stage = Stage.live()
        stage.setTopics(["v2.a", "v2.b", "v2.c"])
        stage.wait(.seconds(5))
        #expect(words(stage.refuse(.first)) == "didReject, unsubscribe 1")
    }

    @Test func `the refusal of an older addition does not undo a newer one`() {
        var stage = Stage.live()
        stage.setTopics(["v2.a", "v2.b", "v2.c"])
        stage.setTopics(["v2.a", "v2.b"])
        stage.setTopics(["v2.a", "v2.b", "v2.c"])
        stage.refuse(.first)
        #expect(stage.machine.subscriptions.wanted == ["v2.a", "v2.b", "v2.c"])
        #expect(stage.machine.current?.subscribed == ["v2.a", "v2.b", "v2.c"])
    }

    @Test func `changes during an outage are part of the resubscription`() {
        var stage = Stage.live()
        stage.ended(.first, .reset)
        #expect(stage.setTopics(["v2.c"]) == [])
        stage.wait(.seconds(1))
        #expect(topics(commands(stage.opened(.second)).first) == ["v2.c"])
    }

    @Test func `where there is no room for the new topics, the old ones go first`() {
        let many = (0..<Topic.maxCount).map { Topic("v2.t\($0)") }
        var stage = Stage.live(topics: many)
        let sent = commands(stage.setTopics(many[1...] + ["v2.new"]))
        #expect(sent.map(topics) == [["v2.t0"], ["v2.new"]])
    }

    @Test func `what the channel kept from an earlier connection is given back`() {
        var stage = Stage.live()
        stage.ended(.first, .reset)
        stage.setTopics(["v2.a"])
        stage.wait(.seconds(1))
        stage.opened(.second)
        #expect(commands(stage.accept(.second)).map(topics) == [["v2.b"]])
        stage.accept(.second)
        #expect(stage.setTopics(["v2.a"]) == [], "once")
    }

    @Test func `another channel has kept nothing`() {
        var stage = Stage.live()
        stage.ended(.first, .reset)
        stage.setTopics(["v2.a"])
        stage.rollover(to: .other)
        stage.opened(.second)
        #expect(commands(stage.accept(.second)) == [])
    }

    @Test func `what a refused command asked for again is still the channel's, and given back`() {
        var stage = Stage.live()
        stage.ended(.first, .reset)
        stage.setTopics(["v2.a"])
        stage.wait(.seconds(1))
        stage.opened(.second)
        stage.setTopics(["v2.a", "v2.b", "v2.c"])
        #expect(commands(stage.accept(.second)).map(topics) == [["v2.b", "v2.c"]])
        #expect(commands(stage.refuse(.second)).map(topics) == [["v2.b"]])
    }

    @Test func `a topic confirmed on the old socket while the new one subscribes is not lost with it`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        stage.setTopics(["v2.a", "v2.b", "v2.c"])
        stage.accept(.first)
        let again = stage.accept(.second)
        #expect(commands(again).map(topics) == [["v2.a", "v2.b", "v2.c"]])
        #expect(StateName(stage.machine.state) == .rollingOver, "the old one is still needed")
        #expect(words(stage.accept(.second)) == "pause 2, ping 1")
    }

    @Test func `a host that changes its mind faster than the service answers does not pile up commands`() {
        var stage = Stage.live()
        for number in 0..<100 { stage.setTopics([Topic("v2.t\(number)")]) }
        #expect(stage.machine.current.map { $0.pending.count <= Subscriptions.maxPendingCount + 1 } == true)
        for _ in 0..<20 { stage.accept(.first) }
        #expect(stage.machine.current?.subscribed == ["v2.t99"])
        #expect(stage.machine.current?.pending == [])
    }

    @Test func `a command sent again does not undo what came after it`() {
        var stage = Stage.live()
        stage.setTopics(["v2.a", "v2.b", "v2.c", "v2.d"])
        stage.block(.seconds(4))
        stage.setTopics(["v2.a", "v2.b", "v2.d"])
        #expect(commands(stage.wait(.seconds(1))).map(topics) == [["v2.d"]])
        stage = Stage.live()
        stage.setTopics(["v2.a"])
        stage.block(.seconds(4))
        stage.setTopics(["v2.a", "v2.b"])
        #expect(commands(stage.wait(.seconds(1))) == [], "the removal has nothing left to remove")
    }

    @Test func `changes between the subscription and its confirmation follow it`() {
        var stage = Stage()
        stage.open()
        stage.opened(.first)
        #expect(stage.setTopics(["v2.b", "v2.c"]) == [])
        let sent = commands(stage.accept(.first))
        #expect(sent.map(topics) == [["v2.c"], ["v2.a"]])
    }

    @Test func `during a rollover new topics go to the old socket, and old ones wait for the new one`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.opened(.second)
        #expect(commands(stage.setTopics(["v2.b", "v2.c"])).map(topics) == [["v2.c"]])
        #expect(words(stage.accept(.second)) == "pause 2, ping 1, subscribe 2, unsubscribe 2")
        #expect(words(stage.ended(.first, .closed(1000))) == "didRecover rollover, resume 2")
        stage.check()
    }

    @Test func `changes while the old socket is drained reach the new one`() {
        var stage = Stage.inState(.draining)
        #expect(words(stage.setTopics(["v2.a"])) == "unsubscribe 2")
        #expect(words(stage.ended(.first, .closed(1000))) == "didRecover rollover, resume 2")
    }

    @Test func `when the new socket fails, the old topics wait no longer`() {
        var stage = Stage.live()
        stage.announceMaintenance()
        stage.setTopics(["v2.b"])
        #expect(words(stage.ended(.second, .refused)) == "didFailRollover connect, unsubscribe 1")
    }

    @Test func `another channel has topics of its own, and the old one is told at once`() {
        var stage = Stage.live()
        stage.rollover(to: .other)
        #expect(words(stage.setTopics(["v2.b"])) == "unsubscribe 1")
    }

    @Test func `all topics may go, and others may come`() {
        var stage = Stage.live()
        #expect(words(stage.setTopics([])) == "unsubscribe 1")
        stage.accept(.first)
        stage.ended(.first, .reset)
        stage.wait(.seconds(1))
        #expect(words(stage.opened(.second)) == "didMiss, didRecover reconnect")
        #expect(words(stage.setTopics(["v2.c"])) == "subscribe 2")
    }

    @Test func `a change that waited for its turn is sent when the service refused what came before it`() {
        let many = (0...Subscriptions.maxPendingCount).map { Topic("v2.t\($0)") }
        var stage = Stage.live(topics: many)
        for count in many.indices.dropFirst().reversed() { stage.setTopics(Array(many.prefix(count))) }
        #expect(stage.setTopics([]) == [], "too many are pending")
        #expect(commands(stage.refuse(.first)).map(topics) == [["v2.t0"]])
    }

    @Test func `an unanswered removal is sent again and forgotten`() {
        var stage = Stage.live()
        stage.setTopics(["v2.a"])
        #expect(words(stage.wait(.seconds(20))) == "unsubscribe 1")
        #expect(stage.machine.current?.pending == [])
    }

    @Test func `a combined topic stands for its single ones`() {
        #expect(
            Topic("v2.users.x?presence&routingStatus").expanded == ["v2.users.x.presence", "v2.users.x.routingStatus"])
        #expect(Topic("v2.a").expanded == ["v2.a"])
        #expect(Topic("v2.a?").expanded == ["v2.a?"])
    }

    @Test(arguments: [
        ("v2.a", true), ("", false), ("v2 a", false), ("v2.a\n", false), ("v2.\u{7F}", false), ("v2.\u{A0}", false),
    ])
    func `a name with white space is no topic`(name: String, isValid: Bool) {
        #expect(Topic(name).isValid == isValid)
    }

    @Test func `a name may have 200 characters and no more`() {
        #expect(Topic(String(repeating: "a", count: 200)).isValid)
        #expect(!Topic(String(repeating: "a", count: 201)).isValid)
    }
}
