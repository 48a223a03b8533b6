import Foundation
import Testing

/// The Swift hosts of `Examples`: the first program, a plain class, an actor that runs on the loop, and a service whose
/// loop has a thread of its own.
@Suite(.timeLimit(.minutes(patience(3)))) struct SwiftHostTests {
    private static let topics = [
        "v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.presence",
        "v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.routingStatus",
    ]

    private static func start(_ name: String, _ arguments: [String]) throws -> Child {
        // The actor lives until the process ends: its task retains it. The leak sanitizer cannot detect this, because a
        // weak reference changes the pointer to an object.
        try Child(
            Tool.executable.deletingLastPathComponent().appending(path: name), arguments, mayLeak: name == "actor-host")
    }

    @Test(arguments: ["plain-host", "actor-host", "service-host"])
    func `a host counts what it was sent, and ends`(_ name: String) async throws {
        try await Simulator.with("--rate", "1000") { simulator in
            let (uri, ca) = (simulator.announcement.uri, simulator.announcement.caFile)
            let end = await (try SwiftHostTests.start(name, [uri, ca, "300"] + SwiftHostTests.topics)).end()
            #expect(end.status == 0, "\(end.errors)")
            let counts = end.outputText.split(separator: "\n").compactMap { line -> Int? in
                let words = line.split(separator: " ")
                return words.count == 2 && SwiftHostTests.topics.contains(String(words[0])) ? Int(words[1]) : nil
            }
            #expect(counts.count == SwiftHostTests.topics.count, "\(end.outputText)")
            // The service reads its counts when it has seen the last one: more may have come.
            #expect(name == "service-host" ? counts.reduce(0, +) >= 300 : counts.reduce(0, +) == 300)
        }
    }

    @Test func `the first program of the README prints presences, until it is ended`() async throws {
        // As fast as this, because a pipe gets whole blocks only.
        try await Simulator.with("--rate", "1000") { simulator in
            let (uri, ca) = (simulator.announcement.uri, simulator.announcement.caFile)
            let child = try SwiftHostTests.start("first-host", [uri, ca])
            let line = try #require(await child.output?.nextLine())
            #expect(line == "v2.users.ID.presence AVAILABLE 2024-05-14 09:03:17 +0000")
            child.signal(SIGTERM)
            _ = await child.end()
        }
    }

    @Test func `a health check tells the state when it changes and when it is asked`() async throws {
        try await Simulator.with("--rate", "1") { simulator in
            let (uri, ca) = (simulator.announcement.uri, simulator.announcement.caFile)
            let child = try SwiftHostTests.start("health-check", [uri, ca] + SwiftHostTests.topics)
            #expect(await child.output?.nextLine() == "503 connecting")
            #expect(await child.output?.nextLine() == "200 subscribed")
            try child.send(line: "?")
            #expect(await child.output?.nextLine() == "200 subscribed")
            try child.closeInput()
            let end = await child.end()
            #expect(end.status == 0 && end.errors.isEmpty, "\(end.errors)")
        }
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `a health check closes its channel on a signal`(_ number: Int32) async throws {
        try await Simulator.with("--rate", "1") { simulator in
            let (uri, ca) = (simulator.announcement.uri, simulator.announcement.caFile)
            let child = try SwiftHostTests.start("health-check", [uri, ca] + SwiftHostTests.topics)
            #expect(await child.output?.nextLine() == "503 connecting")
            #expect(await child.output?.nextLine() == "200 subscribed")
            child.signal(number)
            let end = await child.end()
            #expect(end.status == 0 && end.errors.isEmpty, "\(end.errors)")
        }
    }

    @Test(arguments: ["plain-host", "actor-host", "service-host"])
    func `a host says what went wrong in a sentence`(_ name: String) async throws {
        let uri = "wss://127.0.0.1:1/channels/streaming-1-secret"
        let end = await (try SwiftHostTests.start(name, [uri, "no-such-file", "1"] + SwiftHostTests.topics)).end()
        #expect(end.status == 1)
        #expect(end.outputText.hasPrefix("\(name): ") && end.outputText.contains("no-such-file"), "\(end.outputText)")
        #expect(!end.outputText.contains("secret"))
        #expect(end.errors.isEmpty, "\(end.errors)")
    }
}
