import Testing

@testable import GenesysLoop

/// The topics of a channel, on the value alone.
@Suite struct SubscriptionsValueTests {
    /// The topics, one link, and the source of ids.
    private struct Fixture {
        var subscriptions: Subscriptions
        var link: LinkRecord
        var random = SplitMix64(seed: 1)

        init(_ wanted: [Topic] = ["v2.a", "v2.b"], endpoint: EndpointID = .original) {
            subscriptions = Subscriptions(wanted: wanted)
            link = LinkRecord(id: .first, endpoint: endpoint, settings: ChannelSettings(), now: .at(0))
        }

        /// Sends a command and returns its entry.
        @discardableResult
        mutating func send(_ purpose: PendingCommand.Purpose, _ topics: [Topic], at second: Double = 0)
            -> PendingCommand
        {
            _ = subscriptions.command(
                purpose, topics, on: &link, timeout: .seconds(10), now: .at(second), random: &random)
            return link.pending[link.pending.count - 1]
        }

        /// The service accepts the oldest command.
        mutating func accept() {
            subscriptions.accepted(link.pending.removeFirst(), on: link)
        }

        /// The service refuses the oldest command, or does not answer it.
        mutating func reject(isAnswered: Bool = true) {
            subscriptions.rejected(link.pending.removeFirst(), isAnswered: isAnswered, on: &link)
        }

        /// A new link to the same endpoint, or to another one.
        mutating func reconnect(to endpoint: EndpointID = .original) {
            link = LinkRecord(id: .second, endpoint: endpoint, settings: ChannelSettings(), now: .at(0))
        }

        func difference(isShared: Bool = false) -> [Subscriptions.Change] {
            subscriptions.difference(on: link, isShared: isShared)
        }

        /// Confirmed on the link.
        static func confirmed(_ wanted: [Topic] = ["v2.a", "v2.b"]) -> Fixture {
            var fixture = Fixture(wanted)
            fixture.send(.confirm, wanted)
            fixture.accept()
            return fixture
        }
    }

    // MARK: - Commands

    @Test func `a command is remembered on its link until half of its time`() {
        var fixture = Fixture()
        let pending = fixture.send(.confirm, ["v2.a", "v2.b"], at: 1)
        #expect(fixture.link.subscribed == ["v2.a", "v2.b"])
        #expect(pending.deadline == .at(6))
        #expect(pending.command == .subscribe(["v2.a", "v2.b"], correlationID: pending.correlationID))
        fixture.send(.remove, ["v2.a"])
        #expect(fixture.link.subscribed == ["v2.b"])
    }

    @Test func `a command knows which topics no earlier one asked this channel for`() {
        var fixture = Fixture()
        #expect(fixture.send(.confirm, ["v2.a", "v2.b"]).firstAsked == ["v2.a", "v2.b"])
        #expect(fixture.send(.add, ["v2.b", "v2.c"]).firstAsked == ["v2.c"])
        fixture.reconnect()
        #expect(fixture.send(.confirm, ["v2.a", "v2.c"]).firstAsked == [])
        fixture.reconnect(to: .other)
        #expect(fixture.send(.confirm, ["v2.a"]).firstAsked == ["v2.a"], "another channel")
    }

    // MARK: - The difference

    @Test func `a link that has the wanted topics needs no change`() {
        #expect(Fixture.confirmed().difference() == [])
    }

    @Test func `new topics are added in their order, then old ones are removed in the order of their bytes`() {
        var fixture = Fixture.confirmed(["v2.d", "v2.c", "v2.a"])
        fixture.subscriptions.want(["v2.z", "v2.a", "v2.x"])
        #expect(fixture.difference() == [.add(["v2.z", "v2.x"]), .remove(["v2.c", "v2.d"])])
    }

    @Test func `without room, old topics are removed first`() {
        let many = (0..<Topic.maxCount).map { Topic("v2.t\($0)") }
        var fixture = Fixture.confirmed(many)
        fixture.subscriptions.want(many.dropLast() + ["v2.new"])
        #expect(fixture.difference() == [.remove([many[many.count - 1]]), .add(["v2.new"])])
        #expect(fixture.difference(isShared: true) == [], "neither is possible yet")
    }

    @Test func `while a second socket to the channel is opened, nothing is removed`() {
        var fixture = Fixture.confirmed()
        fixture.subscriptions.want(["v2.b", "v2.c"])
        #expect(fixture.difference(isShared: true) == [.add(["v2.c"])])
        #expect(fixture.difference() == [.add(["v2.c"]), .remove(["v2.a"])])
    }

    @Test func `changes wait while too many commands are pending`() {
        var fixture = Fixture.confirmed()
        fixture.subscriptions.want(["v2.c"])
        for _ in 1..<Subscriptions.maxPendingCount { fixture.send(.extend, ["v2.a"]) }
        #expect(fixture.difference() != [])
        fixture.send(.extend, ["v2.a"])
        #expect(fixture.difference() == [])
    }

    @Test func `what the channel has from an earlier link is removed, once`() {
        var fixture = Fixture.confirmed()
        fixture.reconnect()
        fixture.subscriptions.want(["v2.b"])
        fixture.send(.confirm, ["v2.b"])
        fixture.accept()
        #expect(fixture.difference() == [.remove(["v2.a"])])
        fixture.send(.remove, ["v2.a"])
        #expect(fixture.difference() == [], "on its way")
        fixture.accept()
        #expect(fixture.difference() == [])
    }

    @Test func `a channel that was left is forgotten, the one in use is not`() {
        var fixture = Fixture.confirmed()
        fixture.subscriptions.moved(to: .original)
        fixture.reconnect()
        fixture.subscriptions.want([])
        #expect(fixture.difference() == [.remove(["v2.a", "v2.b"])])
        fixture.subscriptions.moved(to: .other)
        #expect(fixture.difference() == [])
    }

    // MARK: - Overdue commands

    private func overdue(_ fixture: inout Fixture, at second: Double) -> Subscriptions.Overdue {
        let id = fixture.link.pending.first?.correlationID ?? "none"
        return fixture.subscriptions.overdue(id, on: &fixture.link, now: .at(second))
    }

    @Test func `a command is sent again after half of its time, with the same id, and is unanswered after all of it`() {
        var fixture = Fixture()
        let sent = fixture.send(.confirm, ["v2.a", "v2.b"])
        #expect(overdue(&fixture, at: 4.999) == .wait)
        #expect(overdue(&fixture, at: 5) == .resend(sent.command))
        #expect(overdue(&fixture, at: 9.999) == .wait)
        guard case .unanswered(let pending) = overdue(&fixture, at: 10) else {
            Issue.record("it is still waited for")
            return
        }
        #expect(pending.correlationID == sent.correlationID)
        #expect(fixture.link.pending == [])
        #expect(overdue(&fixture, at: 10) == .wait, "it is gone")
    }

    @Test func `an addition sent again does not ask for topics that were removed since`() {
        var fixture = Fixture(["v2.a", "v2.c", "v2.d"])
        let sent = fixture.send(.add, ["v2.c", "v2.d"])
        fixture.send(.remove, ["v2.c"])
        let again = OutgoingCommand.subscribe(["v2.d"], correlationID: sent.correlationID)
        #expect(overdue(&fixture, at: 5) == .resend(again))
        #expect(fixture.link.pending.first?.isRevised == true)
    }

    @Test func `a removal sent again does not remove topics that were requested since`() {
        var fixture = Fixture.confirmed()
        fixture.send(.remove, ["v2.a", "v2.b"])
        fixture.send(.add, ["v2.b"])
        let id = fixture.link.pending[0].correlationID
        #expect(overdue(&fixture, at: 5) == .resend(.unsubscribe(["v2.a"], correlationID: id)))
    }

    @Test func `a renewal sent again asks for what is wanted by then, and a confirmation for what it named`() {
        var fixture = Fixture.confirmed()
        let renewal = fixture.send(.extend, ["v2.a", "v2.b"])
        fixture.subscriptions.want(["v2.c", "v2.a"])
        fixture.send(.add, ["v2.c"])
        let again = OutgoingCommand.subscribe(["v2.c", "v2.a"], correlationID: renewal.correlationID)
        #expect(overdue(&fixture, at: 5) == .resend(again))
        fixture = Fixture()
        let confirmation = fixture.send(.confirm, ["v2.a", "v2.b"])
        fixture.subscriptions.want(["v2.a"])
        #expect(overdue(&fixture, at: 5) == .resend(confirmation.command))
        #expect(fixture.link.pending.first?.isRevised == false)
    }

    @Test func `a command with nothing left to ask for is not sent again`() {
        var fixture = Fixture.confirmed()
        fixture.send(.remove, ["v2.a"])
        fixture.send(.add, ["v2.a"])
        #expect(overdue(&fixture, at: 5) == .wait)
        #expect(fixture.link.pending.first?.isResent == true)
        #expect(fixture.link.pending.first?.deadline == .at(10))
    }

    // MARK: - Answers

    private func reply(_ id: String?, status: Int = 200, _ topics: [Topic]? = nil) -> CommandReply {
        CommandReply(correlationID: id, status: status, topics: topics)
    }

    @Test func `an answer is matched by its id, and a refusal without one is for the oldest command`() {
        var fixture = Fixture()
        let first = fixture.send(.add, ["v2.a"])
        let second = fixture.send(.add, ["v2.b"])
        #expect(fixture.link.takePending(answeredBy: reply(nil)) == nil)
        #expect(fixture.link.takePending(answeredBy: reply("theirs", status: 400)) == nil)
        #expect(fixture.link.takePending(answeredBy: reply(second.correlationID)) == second)
        #expect(fixture.link.takePending(answeredBy: reply(second.correlationID)) == nil)
        #expect(fixture.link.takePending(answeredBy: reply(nil, status: 400)) == first)
        #expect(fixture.link.takePending(answeredBy: reply(nil, status: 400)) == nil)
    }

    @Test func `topics that an acceptance does not name are found one by one, each once`() {
        let wanted: [Topic] = ["v2.users.x?presence&routingStatus", "v2.b"]
        var fixture = Fixture(wanted)
        let pending = fixture.send(.confirm, wanted)
        let named = reply(nil, ["v2.users.x.presence"])
        #expect(
            fixture.subscriptions.unnamed(by: named, of: pending) == ["v2.users.x.routingStatus", "v2.b"])
        #expect(fixture.subscriptions.unnamed(by: named, of: pending) == [])
        #expect(fixture.subscriptions.unnamed(by: reply(nil, []), of: pending) == ["v2.users.x.presence"])
        #expect(fixture.subscriptions.unconfirmed.count == 3)
    }

    @Test func `an answer without names, to a removal, or to a revised command is not compared`() {
        var fixture = Fixture.confirmed()
        let renewal = fixture.send(.extend, ["v2.a", "v2.b"])
        #expect(fixture.subscriptions.unnamed(by: reply(nil, nil), of: renewal) == [])
        let removal = fixture.send(.remove, ["v2.a"])
        #expect(fixture.subscriptions.unnamed(by: reply(nil, []), of: removal) == [])
        fixture.subscriptions.want(["v2.b"])
        _ = overdue(&fixture, at: 5)
        #expect(fixture.subscriptions.unnamed(by: reply(nil, []), of: fixture.link.pending[0]) == [])
    }

    @Test func `a new link is complete when it has every wanted topic that was confirmed before`() {
        var fixture = Fixture.confirmed()
        fixture.reconnect()
        fixture.send(.confirm, ["v2.a"])
        #expect(!fixture.subscriptions.isComplete(on: fixture.link))
        fixture.subscriptions.want(["v2.a", "v2.c"])
        #expect(fixture.subscriptions.isComplete(on: fixture.link), "v2.b is not wanted, v2.c not confirmed")
    }

    @Test func `an accepted removal keeps topics that were requested again in the meantime`() {
        var fixture = Fixture.confirmed()
        fixture.send(.remove, ["v2.a", "v2.b"])
        fixture.send(.add, ["v2.a"])
        fixture.accept()
        fixture.reconnect()
        fixture.subscriptions.want([])
        #expect(fixture.difference() == [.remove(["v2.a"])])
    }

    // MARK: - Refusals

    @Test func `refused topics are no longer wanted, and the channel does not have them`() {
        var fixture = Fixture.confirmed()
        fixture.subscriptions.want(["v2.a", "v2.b", "v2.c"])
        fixture.send(.add, ["v2.c"])
        fixture.reject()
        #expect(fixture.subscriptions.wanted == ["v2.a", "v2.b"])
        #expect(fixture.link.subscribed == ["v2.a", "v2.b"])
        #expect(fixture.difference() == [])
    }

    @Test func `a refusal does not undo a later request for the same topic`() {
        var fixture = Fixture.confirmed()
        fixture.subscriptions.want(["v2.a", "v2.b", "v2.c", "v2.d"])
        fixture.send(.add, ["v2.c", "v2.d"])
        fixture.send(.remove, ["v2.c"])
        fixture.send(.add, ["v2.c"])
        fixture.reject()
        #expect(fixture.subscriptions.wanted == ["v2.a", "v2.b", "v2.c"])
        #expect(fixture.link.subscribed == ["v2.a", "v2.b", "v2.c"])
    }

    @Test func `an addition that was not answered, or was sent twice, may have taken effect and is taken back`() {
        for isAnswered in [false, true] {
            var fixture = Fixture.confirmed()
            fixture.subscriptions.want(["v2.a", "v2.b", "v2.c"])
            fixture.send(.add, ["v2.c"])
            if isAnswered { _ = overdue(&fixture, at: 5) }
            fixture.reject(isAnswered: isAnswered)
            #expect(fixture.difference() == [.remove(["v2.c"])])
        }
    }

    @Test func `a refused topic that an earlier command asked for may still be subscribed and is taken back`() {
        var fixture = Fixture.confirmed()
        fixture.reconnect()
        fixture.subscriptions.want(["v2.a"])
        fixture.send(.confirm, ["v2.a"])
        fixture.accept()
        fixture.subscriptions.want(["v2.a", "v2.b", "v2.c"])
        fixture.send(.add, ["v2.b", "v2.c"])
        fixture.reject()
        #expect(fixture.difference() == [.remove(["v2.b"])], "no earlier command asked for v2.c")
    }

    @Test func `a refused topic is not required of the next link`() {
        var fixture = Fixture.confirmed()
        fixture.send(.add, ["v2.b"])
        fixture.reject()
        fixture.reconnect()
        fixture.send(.confirm, ["v2.a"])
        #expect(fixture.subscriptions.isComplete(on: fixture.link))
    }

    @Test func `a refused removal is not tried again, an unanswered one is`() {
        for isAnswered in [true, false] {
            var fixture = Fixture.confirmed()
            fixture.subscriptions.want(["v2.a"])
            fixture.send(.remove, ["v2.b"])
            let removal = fixture.link.pending.removeFirst()
            fixture.subscriptions.removalRefused(removal, isAnswered: isAnswered, on: fixture.link)
            #expect(fixture.difference() == (isAnswered ? [] : [.remove(["v2.b"])]))
        }
    }

    // MARK: - Refresh

    @Test func `a second refresh within ten seconds of a subscription waits for their end`() {
        var subscriptions = Subscriptions(wanted: ["v2.a"])
        #expect(subscriptions.mayRefresh(now: .at(0)) == true)
        subscriptions.refreshed(now: .at(0))
        #expect(subscriptions.mayRefresh(now: .at(9.999)) == false)
        #expect(subscriptions.refreshDue == .at(10))
        #expect(subscriptions.mayRefresh(now: .at(10)) == true)
    }

    @Test func `a refresh that waits is forgotten when it is performed or has become unnecessary`() {
        var subscriptions = Subscriptions(wanted: ["v2.a"])
        subscriptions.refreshed(now: .at(0))
        let forgetting: [(inout Subscriptions) -> Void] = [
            { $0.refreshed(now: .at(2)) }, { $0.takeRefresh() }, { $0.moved(to: .original) },
        ]
        for forget in forgetting {
            #expect(subscriptions.mayRefresh(now: .at(2)) == false)
            #expect(subscriptions.refreshDue != nil)
            forget(&subscriptions)
            #expect(subscriptions.refreshDue == nil)
        }
    }
}
