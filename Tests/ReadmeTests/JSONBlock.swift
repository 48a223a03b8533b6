import Foundation
import GenesysLoop
import GenesysSimulator
import Testing

@testable import genesys_loop

/// An example of JSON on a page. Its members say what it is.
enum JSONBlock {
    static func check(_ block: Page.Block, at place: Comment) async throws {
        let whole = try? JSONSerialization.jsonObject(with: Data(block.text.utf8))
        // Else one object a line.
        let texts = whole == nil ? block.lines : [block.text]
        for text in texts {
            let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            let names = try #require(object, place).keys
            if names.contains("event") {
                try EventPage().check(text)
            } else if names.contains("steps") {
                try await play(text, at: place)
            } else if names.contains("connectUri") {
                #expect(Set(names) == (try await channelMembers()), place)
            } else if names.contains("topicName") {
                try await receive(text, at: place)
            } else if names.contains("checks") {
                try await diagnose(text, at: place)
            } else if names.contains("caFile") {
                let client: Set = ["clientId", "clientSecret", "region", "loginBase", "apiBase"]
                #expect(Set(names) == Set(["uri", "caFile"]).union(names.contains("clientId") ? client : []), place)
            } else {
                Issue.record("\(place): no rule covers an object with the members \(names.sorted())")
            }
        }
    }

    /// Plays a script of the simulator, a hundred times as fast, until a listener has got some notifications.
    private static func play(_ text: String, at place: Comment) async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "script.json")
            try text.write(to: file, atomically: true, encoding: .utf8)
            let simulator = try Command(
                Command.tool, ["simulate", "--time-scale", "100", "--script", file.path])
            let line = try #require(await simulator.output.next(), place)
            let announced = try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
            let end = try await Command.run(
                Command.tool,
                ["listen", "--uri", announced["uri"] ?? "", "--ca-file", announced["caFile"] ?? ""]
                    + ["--topic", "v2.users.ID.presence", "--count", "20", "--duration", "60"])
            #expect(end.status == 0, "\(place): \(end.errors)")
            simulator.signal(SIGTERM)
            #expect(await simulator.end().status == 0, place)
        }
    }

    /// Compares a result of `doctor` with one of the tool, except for what was found and how long it took.
    private static func diagnose(_ text: String, at place: Comment) async throws {
        let host = try #require(text.firstMatch(of: /wss:\/\/[^\/…]+/), place).0
        let end = try await Command.run(Command.tool, ["doctor", "--json", "--no-connect", "--uri", "\(host)/"])
        #expect(try shape(of: text) == shape(of: end.output), place)
    }

    private static func shape(of diagnosis: String) throws -> [String] {
        let value = try JSONSerialization.jsonObject(with: Data(diagnosis.utf8)) as? [String: Any]
        let checks = try #require(value?["checks"] as? [[String: Any]])
        return checks.map { "\($0.keys.sorted()) \($0["name"] ?? "") \($0["verdict"] ?? "")" }
            + ["\(value?.keys.sorted() ?? []) \(value?["status"] ?? "")"]
    }

    /// The members of the answer to `POST /api/v2/notifications/channels`.
    private static func channelMembers() async throws -> Set<String> {
        let service = try await LocalService.start(rate: 0)
        let body = try await service.thread.submit {
            var copy = service.server.value.service
            return copy.restRequested(
                .init("POST", "/api/v2/notifications/channels"), socketBase: "wss://localhost",
                wall: WallTime(seconds: 0), now: .zero
            ).body
        }
        await service.close()
        let object = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]
        return Set(try #require(object).keys)
    }

    /// Sends a notification to the tool, which prints it.
    private static func receive(_ text: String, at place: Comment) async throws {
        let value = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        let topic = try #require(value?["topicName"] as? String, place)
        let service = try await LocalService.start(rate: 0)
        let tool = try Command(
            Command.tool, ["listen", "--uri", service.uri, "--topic", topic, "--events", "--count", "1"])
        #expect(await tool.errors.next()?.contains("subscribed") == true, place)
        service.server.execute { $0.publish(Array(text.utf8), to: Topic(topic)) }
        let printed = await tool.end().output
        #expect(printed == text.trimmingCharacters(in: .newlines).replacing("\n", with: " ") + "\n", place)
        await service.close()
    }
}
