import Foundation
import GenesysLoop
import GenesysSimulator
import Testing

@testable import genesys_loop

/// `simulate --script`: the file format and the actions.
@Suite struct ScriptTests {
    private func fault(_ text: String) -> String? {
        do throws(SimulatorScript.Invalid) {
            _ = try SimulatorScript(Data(text.utf8), name: "f")
            return nil
        } catch {
            return error.description
        }
    }

    @Test func `steps are sorted by their times, and those of one time stay in order`() throws {
        let text = """
            {"repeat": 9, "steps": [{"at": 2, "do": "expire"}, {"at": 1.5, "do": "stop"}, {"at": 2, "do": "evict"}]}
            """
        let script = try SimulatorScript(Data(text.utf8), name: "f")
        #expect(script.steps.map(\.at) == [1.5, 2, 2])
        guard case .stop = script.steps[0].action, case .expire = script.steps[1].action,
            case .evict = script.steps[2].action
        else { return #expect(Bool(false), "\(script.steps)") }
        #expect(script.repeatsAfter == 9)
    }

    /// The script shown in `GenesysLoop.docc/SimulatorScript.md`.
    private func documentedScript() throws -> SimulatorScript {
        let file = URL(filePath: #filePath).appending(
            path: "../../../Sources/GenesysLoop/GenesysLoop.docc/SimulatorScript.md")
        let text = try String(contentsOf: file.standardizedFileURL, encoding: .utf8)
        let example = try #require(text.split(separator: "```json\n").last?.split(separator: "```").first)
        return try SimulatorScript(Data(example.utf8), name: "example")
    }

    @Test func `the documented example does what its page says`() throws {
        var configuration = SimulatedService.Configuration()
        configuration.timeScale = 120
        let loop = try UVLoop()
        let server = try SimulatorServer(on: loop, tls: false, configuration: configuration, seed: 1)
        server.start()
        let player = ScriptPlayer(try documentedScript(), on: server)
        let host = ScriptedHost()
        host.didEnd = {
            player.stop()
            server.close()
        }
        // After the refused upgrades, and before the notification of the same round.
        var backoff = ReconnectPolicy.Backoff()
        backoff.cap = backoff.floor
        var terms = ChannelConfiguration()
        terms.reconnect = .backoff(backoff)
        let channel = try NotificationChannel(
            uri: server.createChannel().uri, topics: ["v2.users.ID.presence"], on: loop, delegate: host,
            configuration: terms)
        channel.open()
        player.start()
        loop.run()
        #expect(host.failure == nil)
        #expect(Set(host.events) == ["maintenance", "reconnect", "gap", "published"], "\(host.events)")
        #expect(host.events.last == "published", "\(host.events)")
        #expect(server.configuration.publishing.rate == 1_000)
    }

    @Test func `a maintenance without members has the documented defaults, whatever came before`() throws {
        let text = """
            {"steps": [{"at": 0, "do": "maintenance", "lead": 5, "notices": 3}, {"at": 1, "do": "maintenance"}]}
            """
        let actions = try SimulatorScript(Data(text.utf8), name: "f").steps.map(\.action)
        guard case .maintenance(lead: 5, notices: 3) = actions[0], case .maintenance(lead: 60, notices: 1) = actions[1]
        else { return #expect(Bool(false), "\(actions)") }
    }

    @Test(arguments: [
        #"{"at":1,"do":"maintenance","lead":5,"notices":2}"#, #"{"at":1,"do":"disconnect","by":"reset"}"#,
        #"{"at":1,"do":"disconnect","code":1012}"#, #"{"at":1,"do":"announce","notice":"duplicate_id"}"#,
        #"{"at":1,"do":"publish","topic":"v2.a","body":[1,true,null,"x"]}"#, #"{"at":1,"do":"publish","topic":"v2.a"}"#,
        #"{"at":1,"do":"send","text":"{","binary":true}"#, #"{"at":1,"do":"upgrades","refuse":429,"retryAfter":3}"#,
        #"{"at":1,"do":"upgrades","answer":"never","delay":1}"#, #"{"at":1,"do":"creations"}"#,
        #"{"at":1,"do":"subscribes","answer":"notFound"}"#, #"{"at":1,"do":"subscribes","delay":2}"#,
        #"{"at":1,"do":"set","rate":5,"heartbeats":false,"repeats":0.5,"forbiddenTopics":["v2.x"]}"#,
        #"{"at":0,"do":"revokeToken"}"#,
    ]) func `every documented step is understood`(step: String) {
        #expect(fault(#"{"steps":[\#(step)]}"#) == nil)
    }

    @Test(arguments: [
        ("", "line 1, column 1: it ends too early"), ("[]", "no JSON object"), ("[1,2]", "no JSON object"),
        (#"{"steps":[{"at":1,"do":"stop"},]}"#, "line 1, column 31: a comma stands before the end"),
        ("{\"steps\": [\n  {\"at\": 1, \"do\": \"stop\",\n  }\n]}", "line 2, column 25: a comma stands before the end"),
        ("{\"steps\": [],\r\n}", "line 1, column 13: a comma"),
        ("{\n  // a remark\n}", "line 2, column 3: the name of"),
        (#"{"ö": '1'}"#, "line 1, column 7: a value is missing"), (#"{"steps":[]} x"#, "line 1, column 14: something"),
        (#"{"steps":[01]}"#, "line 1, column 12: a number"), (#"{"steps":["\x"]}"#, "an escape is malformed"),
        ("{\"steps\": [\"a\nb\"]}", "line 1, column 14: a string holds a control"),
        (#"{"steps":[NaN]}"#, "line 1, column 11"),
        (#"{"steps":[],steps:1}"#, "line 1, column 13: the name"),
        ("\u{FEFF}{}", "line 1, column 1: it starts with a byte order mark"),
        (#"{"steps":[{"at":1e999,"do":"stop"}]}"#, "too large"), (#"{"steps":["\ud800"]}"#, "other half"),
        (String(repeating: "[", count: 600), "line 1, column"), ("{}", "'steps' is missing"),
        (#"{"steps":1}"#, "is no list"),
        (#"{"steps":[1]}"#, "Step 1"), (#"{"steps":[],"x":1}"#, "'x' means nothing"),
        (#"{"steps":[{"do":"stop"}]}"#, "'at' is missing in step 1"),
        (#"{"steps":[{"at":true,"do":"stop"}]}"#, "'at' in step 1"),
        (#"{"steps":[{"at":-1,"do":"stop"}]}"#, "no number"),
        (#"{"steps":[{"at":1}]}"#, "'do' is missing"), (#"{"steps":[{"at":1,"do":"dance"}]}"#, "'dance'"),
        (#"{"steps":[{"at":1,"do":"stop","by":"x"}]}"#, "'by' means nothing in step 1"),
        (#"{"steps":[{"at":1,"do":"disconnect","by":"x"}]}"#, "'drop', 'reset', 'close'"),
        (#"{"steps":[{"at":1,"do":"upgrades","refuse":200}]}"#, "300 to 599"),
        (#"{"steps":[{"at":1,"do":"upgrades","refuse":503.5}]}"#, "300 to 599"),
        (#"{"steps":[{"at":1,"do":"disconnect","code":70000}]}"#, "0 to 65535"),
        (#"{"steps":[{"at":1,"do":"disconnect","code":1000.5}]}"#, "'code' in step 1"),
        (#"{"steps":[{"at":1,"do":"maintenance","notices":1.5}]}"#, "'notices' in step 1"),
        (#"{"steps":[{"at":1,"do":"maintenance","notices":1000000000}]}"#, "'notices' in step 1"),
        (#"{"steps":[{"at":1,"do":"set","repeats":2}]}"#, "'repeats' in step 1"),
        (#"{"steps":[{"at":1,"do":"set","heartbeats":1}]}"#, "neither true nor false"),
        (#"{"steps":[{"at":1,"do":"set","forbiddenTopics":[1]}]}"#, "list of strings"),
        (#"{"repeat":1,"steps":[{"at":2,"do":"stop"}]}"#, "'repeat'"), (#"{"repeat":0,"steps":[]}"#, "'repeat'"),
    ]) func `a mistake is named with its place`(text: String, part: String) {
        #expect(fault(text)?.contains(part) == true, "\(fault(text) ?? "no fault")")
    }

    @Test func `bytes that are not UTF-8 are named with their place`() {
        var text = Data("{\"a\":\n \"é".utf8)
        text.append(contentsOf: [0xE9, 0x22, 0x7D])
        #expect {
            try SimulatorScript(text, name: "f")
        } throws: { error in
            "\(error)" == "The script 'f' is not JSON: line 2, column 4: a byte is not UTF-8."
        }
    }

    @Test func `a comma before the end of a list ends with 64 and its place`() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "script-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try "{\n  \"steps\": [\n    {\"at\": 1, \"do\": \"stop\"},\n  ]\n}\n".write(
            to: file, atomically: true, encoding: .utf8)
        let end = try await Tool.run(["simulate", "--script", file.path], mayLeak: true)
        #expect(end.status == 64)
        #expect(end.output == [])
        #expect(end.errors.contains("'\(file.path)' is not JSON: line 3, column 28: a comma"), "\(end.errors)")
    }

    @Test func `a script that is no script ends with 64 and says why`() async throws {
        let missing = try await Tool.run(["simulate", "--script", "/nowhere/at/all.json"])
        #expect(missing.status == 64)
        #expect(missing.errors.contains("“/nowhere/at/all.json” cannot be read: no such file or directory"))
    }

    @Test func `a listener lives through what a script does`() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "script-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        // However late the listener connects: its 1,000 notifications take five seconds, and a round takes three.
        let text = """
            {"repeat": 180, "steps": [
              {"at": 60, "do": "maintenance", "lead": 30},
              {"at": 120, "do": "disconnect", "by": "drop"},
              {"at": 150, "do": "publish", "topic": "v2.users.x.presence", "body": {"from": "the script"}}
            ]}
            """
        try text.write(to: file, atomically: true, encoding: .utf8)
        try await Simulator.with("--script", file.path, "--time-scale", "60", "--rate", "200") { simulator in
            let end = try await simulator.listen("--events", "--count", "1000")
            #expect(end.status == 0)
            let events = end.errors.split(separator: "\n").compactMap { line in
                (try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["event"] as? String
            }
            #expect(Set(events).isSuperset(of: ["willExpire", "reconnecting", "gap", "recovered"]), "\(events)")
        }
    }
}

/// Closes its channel after everything that the documented script does.
private final class ScriptedHost: NotificationChannelDelegate {
    var events: [String] = []
    var failure: ChannelFailure?
    var didEnd: () -> Void = {}

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        guard Set(events).isSuperset(of: ["maintenance", "reconnect", "gap"]),
            let body = try? notification.decode([String: String].self), body == ["presence": "Busy"]
        else { return }
        events.append("published")
        channel.close()
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {
        if case .maintenance = expiry { events.append("maintenance") }
    }

    func channel(_ channel: NotificationChannel, willReconnect attempt: ReconnectAttempt) {
        events.append("reconnect")
        // In the first round, unless the machine was suspended.
        if events.count > 100 { channel.close() }
    }

    func channel(_ channel: NotificationChannel, didMiss gap: Gap) { events.append("gap") }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        self.failure = failure
        didEnd()
        didEnd = {}
    }

    func channelDidClose(_ channel: NotificationChannel) {
        didEnd()
        didEnd = {}
    }
}
