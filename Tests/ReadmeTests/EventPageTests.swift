import Foundation
import GenesysLoop
import GenesysPlatform
import GenesysRelay
import GenesysSimulator
import Synchronization
import Testing

@testable import genesys_loop

/// Runs the tool until each of its events has occurred, and compares every object with the page.
@Suite(.timeLimit(.minutes(patience(3)))) struct EventPageTests {
    /// Makes one kind of event occur.
    struct Scenario: Sendable, CustomTestStringConvertible {
        let events: [String]
        var options: [String] = []
        var status: Int32 = 0
        /// Sent after the first event of `events`.
        var signal: Int32?
        /// Called before the tool starts.
        var before: @Sendable (SimulatorServer) -> Void = { _ in }
        /// Called after the first event of `events`.
        var after: @Sendable (SimulatorServer) -> Void = { _ in }

        var testDescription: String { (events + options).joined(separator: " ") }
    }

    /// An answer with everything that an event tells about it.
    private static func refusal(_ status: Int, to location: String? = nil) -> SimulatedService.Refusal {
        var refusal = SimulatedService.Refusal(
            status: status, headers: [.init("ININ-Correlation-Id", "5d0d5c86-0f5b-4d0e-a1c5-7d1ad4b1d3a4")],
            message: "Not now.")
        if let location { refusal.headers.append(.init("Location", location)) }
        return refusal
    }

    private static let redirect = refusal(307, to: "https://login.example/")
    private static let unavailable = refusal(503)

    static let scenarios: [Scenario] = [
        Scenario(events: ["subscribed", "reconnecting", "recovered", "gap"], after: { $0.disconnect(.all, .reset) }),
        Scenario(
            events: ["subscribed", "reconnecting", "reconnecting"],
            after: { server in
                server.configuration.channels.upgrade = .refuse(redirect)
                server.disconnect(.all, .reset)
            }),
        Scenario(events: ["subscribed", "willExpire", "recovered"], after: { $0.announceMaintenance() }),
        Scenario(
            events: ["subscribed", "willExpire", "rolloverFailed"],
            after: { server in
                server.configuration.channels.upgrade = .refuse(redirect)
                server.announceMaintenance()
            }),
        Scenario(events: ["subscribed", "recovered"], options: ["--lifetime", "0.1"]),
        Scenario(events: ["subscribed", "willExpire"], options: ["--lifetime", "0.1", "--no-extend"]),
        Scenario(events: ["subscribed", "discarded"], after: { $0.inject(Array("x".utf8)) }),
        Scenario(events: ["subscribed", "discarded"], after: { $0.inject(Array("{}".utf8)) }),
        Scenario(events: ["subscribed", "statistics"], signal: SIGUSR1),
        Scenario(events: ["log"], options: ["--log-level", "debug"]),
        Scenario(events: ["failed"], status: 69, before: { $0.configuration.channels.upgrade = .refuse(redirect) }),
        Scenario(
            events: ["failed"], status: 77, before: { $0.configuration.channels.upgrade = .refuse(refusal(401)) }),
        Scenario(events: ["subscribed", "failed"], status: 77, after: { $0.revokeToken() }),
    ]

    @Test func `every event of the tool is as the page says, and each of the page occurs`() async throws {
        let page = try EventPage()
        var seen: [String: Set<String>] = [:]
        for scenario in Self.scenarios {
            for line in try await Self.play(scenario) {
                let (event, optional) = try page.check(line)
                seen[event, default: []].formUnion(optional)
            }
        }
        for line in try await Self.flood() { seen[try page.check(line).event, default: []] = [] }
        for event in Self.accountEvents + Self.relayEvents {
            let (name, optional) = try page.check(event.json(at: WallTime(seconds: 0), shard: 0))
            seen[name, default: []].formUnion(optional)
        }
        var statistics = ChannelStatistics()
        (statistics.silence, statistics.lastNotificationAge) = (.seconds(1), .seconds(1))
        statistics.pingRoundTrip = .milliseconds(1)
        let line = LifecycleEvent.statistics(statistics).json(at: WallTime(seconds: 0))
        seen["statistics", default: []].formUnion(try page.check(line).optional)
        for (event, members) in page.members {
            let optional = Set(members.filter(\.isOptional).map(\.name))
            #expect(seen[event] == optional, "\(event): seen \(String(describing: seen[event])), not \(optional)")
        }
    }

    /// Events of channels that the tool makes.
    private static let accountEvents: [LifecycleEvent] = [
        .rejected(RejectedTopics(topics: ["v2.a"], status: 400, message: "no")),
        .rejected(RejectedTopics([.init(topic: "v2.a", reason: "no", missingPermissions: ["a:b:c"])])),
        .token(lifetime: .seconds(1)), .token(lifetime: nil), .channelMade(ChannelCount(ours: 1, all: 2)),
        .channelMade(ChannelCount(ours: 1)), .channelGone(.httpNotFound), .throttled(.seconds(1)),
        .subscribed(["v2.a"]), .recovered(Recovery(method: .replacement)),
        .reconnecting(
            ReconnectAttempt(number: 1, delay: .zero, failure: ChannelFailure(reason: .dns, phase: .dns))),
        .gap(Gap(from: WallTime(seconds: 0), to: WallTime(seconds: 1), reason: .dns)),
        .willExpire(.lifetime(deadline: WallTime(seconds: 0))),
        .rolloverFailed(ChannelFailure(reason: .dns, phase: .dns)),
        .discarded(DiscardedMessage(reason: .invalidMessage, bytes: [1])),
    ]

    /// Events of a relay.
    private static let relayEvents: [LifecycleEvent] = [
        .relay(.engineConnected(RelayEngine(version: "a", durability: "b", warnings: [], lastStored: "1.2"))),
        .relay(.engineConnected(RelayEngine(version: "a", durability: "b", warnings: [], lastStored: nil))),
        .relay(.engineLost(reason: "a")), .relay(.overflow), .relay(.dropped(sequences: 1...2)),
        .relay(.refused(sequence: 1, reason: "a")), .relay(.leading(epoch: 1)), .relay(.fenced),
        .relay(.engineRolledBack(epoch: 1, sequences: 1...2)), .relay(.drained),
        .statistics(ChannelStatistics(), relay: RelayStatistics()),
    ]

    /// Plays a scenario; returns all lines of standard error.
    private static func play(_ scenario: Scenario) async throws -> [String] {
        let service = try await LocalService.start()
        try await service.thread.submit { scenario.before(service.server.value) }
        let tool = try Command(
            Command.tool,
            ["listen", "--uri", service.uri, "--topic", "v2.users.ID.presence", "--events"]
                + ["--duration", "60"] + scenario.options)
        var lines: [String] = []
        var awaited = scenario.events
        while let line = await tool.errors.next() {
            lines.append(line)
            guard let found = awaited.firstIndex(where: { line.hasPrefix(#"{"event":"\#($0)","#) }) else { continue }
            if awaited.count == scenario.events.count {
                if let signal = scenario.signal { tool.signal(signal) }
                service.server.execute { scenario.after($0) }
            }
            awaited.remove(at: found)
            if awaited.isEmpty, scenario.status == 0 { tool.signal(SIGTERM) }
        }
        let end = await tool.end()
        #expect(end.status == scenario.status, "\(scenario.testDescription): \(end.errors)")
        #expect(awaited.isEmpty, "\(scenario.testDescription): \(awaited) did not occur in \(end.errors)")
        await service.close()
        return lines
    }

    /// Makes more events than fit while no one reads; returns the lines around those that were dropped.
    private static func flood() async throws -> [String] {
        let service = try await LocalService.start(rate: 0)
        let tool = try Command(
            Command.tool, ["listen", "--uri", service.uri, "--topic", "v2.a", "--events", "--count", "60"],
            readsErrors: false)
        while try await service.thread.submit({ service.server.value.receivedSubscribeCount == 0 }) {
            await Task.yield()
        }
        for _ in 0..<60 {
            service.server.execute { server in
                for _ in 0..<400 { server.inject(Array("x".utf8)) }
                server.publish(eventBody: Array("{}".utf8), to: "v2.a")
            }
            _ = await tool.output.next()
        }
        var lines: [String] = []
        while let line = await tool.errors.next() {
            if !line.hasPrefix(#"{"event":"discarded""#) { lines.append(line) }
        }
        #expect(lines.contains { $0.hasPrefix(#"{"event":"linesDropped","#) })
        #expect(await tool.end().status == 0)
        await service.close()
        return lines
    }

    @Test func `the examples of the page are events of the page, one for each`() throws {
        let page = try EventPage()
        let examples = try page.blocks.map { try page.check($0.text).event }
        #expect(Set(examples) == Set(page.members.keys))
    }

    @Test func `the page has the events that the tool can write, and all values of its members`() throws {
        let page = try EventPage()
        let source = try ["LifecycleEvent.swift", "Relay/RelayEvent+Tool.swift"].map { name in
            try Page.text("Sources/genesys-loop/\(name)")
        }.joined()
        // They are written as messages of the log.
        let logged = ["deadLetterFailed", "engineUnavailable", "waitingForLease"]
        let names = source.matches(of: /case \.(\w+): "(\w+)"/).map { String($0.2) }
            .filter { $0 != "lifetime" && $0 != "maintenance" && !logged.contains($0) }
        #expect(Set(names) == Set(page.members.keys))
        let text = try #require(try Page.named("Events.md")?.text)
        let failure = try Page.text("Sources/GenesysLoop/ChannelMachine/ChannelFailure.swift")
        let cases = failure.matches(of: /\n        case (\w+)(?: = "([\w.]+)")?\n/).map { String($0.2 ?? $0.1) }
        #expect(cases.count == 17)
        for word in cases + ["reconnect", "rollover", "extension", "replacement"]
            + ListenOptions.Level.allCases.map(\.rawValue)
        {
            #expect(text.contains("`\(word)`"), "\(word)")
        }
    }
}
