import CUV
import Foundation
import GenesysLoop
import GenesysSimulator
import Testing

/// Tests the code of the README and of `Documentation/Embedding.md`.
///
/// The pages show this target's code verbatim. It compiles, and with the simulator it does what the pages say.
@Suite(.serialized, .timeLimit(.minutes(patience(2)))) struct ReadmeTests {
    private static let topic: Topic = "v2.users.ID.presence"

    @Test(arguments: [
        ("Host.swift", "README.md"), ("Embedding.swift", "README.md"), ("Relay.swift", "Documentation/Embedding.md"),
    ])
    func `a page shows code that compiles`(_ name: String, on page: String) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let root = folder.deletingLastPathComponent().deletingLastPathComponent()
        let code = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
        let text = try String(contentsOf: root.appendingPathComponent(page), encoding: .utf8)
        #expect(text.contains("```swift\n\(code)```"), "\(page) does not hold the text of \(name)")
    }

    @Test func `the README lists every reason and every kind of a failure`() throws {
        let root = URL(fileURLWithPath: #filePath).appending(path: "../../..").standardizedFileURL
        func text(_ path: String) throws -> String {
            try String(contentsOf: root.appending(path: path), encoding: .utf8)
        }
        let failures = try #require(try text("README.md").split(separator: "## When it fails").last)
        let reasons = try text("Sources/GenesysLoop/ChannelMachine/FailureReason.swift")
            .matches(of: /rawValue: "(\w+)"/).map(\.1)
        #expect(reasons.count >= 30)
        for reason in reasons { #expect(failures.contains("`\(reason)`"), "\(reason)") }
        for kind in ["initialization.connection", ".authorization", ".subscription", "receive"] {
            #expect(failures.contains("`\(kind)`"))
        }
    }

    @Test func `the README's remedies and exit statuses are those of the table`() throws {
        let root = URL(fileURLWithPath: #filePath).appending(path: "../../..").standardizedFileURL
        let page = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        let table = try #require(page.split(separator: "## When it fails").last).split(separator: "\n")
        let rows = table.map { $0.split(separator: "|") }.filter { $0.count == 5 && $0[0].contains("`") }
        #expect(rows.count == 16)
        for row in rows {
            for match in row[0].matches(of: /`(\w+)`/) {
                let reason = FailureReason(rawValue: String(match.1))
                for isRetryable in [nil, false] {
                    let failure = ChannelFailure(reason: reason, phase: .open, isRetryable: isRetryable)
                    #expect(row[3].contains("`\(failure.remedy)`"), "\(reason): \(failure.remedy)")
                    #expect(row[4].contains("\(failure.consequence.exitStatus)"), "\(reason)")
                }
            }
        }
    }

    @Test func `the host of the README prints what arrives, until its channel ends`() async throws {
        let service = try await LocalService.start()
        Printed.begin { lines in if lines.count == 3 { service.end() } }
        try listen(to: service.uri, topics: [Self.topic])
        let lines = Printed.end()
        #expect(lines.prefix(3).allSatisfy { $0 == "v2.users.ID.presence AVAILABLE" }, "\(lines)")
        #expect(lines.last?.contains("revoked") == true, "\(lines)")
        await service.close()
    }

    @Test func `the embedding of the README leaves nothing on the program's loop`() async throws {
        let service = try await LocalService.start()
        try Self.embedAndLeave(service.uri)
        await service.close()
    }

    private static func embedAndLeave(_ uri: String) throws {
        let raw = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
        // Closed below, before it is freed.
        defer { unsafe raw.deallocate() }
        #expect(unsafe uv_loop_init(raw) == 0)
        Printed.begin()
        let host = Host()
        let leave = try unsafe embed(host, in: raw, uri: uri)
        while Printed.count < 3 { unsafe _ = uv_run(raw, UV_RUN_ONCE) }
        leave()
        unsafe _ = uv_run(raw, UV_RUN_DEFAULT)
        #expect(unsafe uv_loop_close(raw) == 0)
        let lines = Printed.end()
        #expect(lines.last == "none of the library's handles is left on the loop", "\(lines)")
    }

    @Test @MainActor func `the relay of the page shows all on the main actor, over its marks`() async throws {
        let service = try await LocalService.start(rate: 50_000)
        var (count, failures, isFailureLast) = (0, 0, false)
        try await follow(service.uri, topics: [Self.topic]) { event in
            isFailureLast = false
            switch event {
            case .notification(let notification):
                #expect(notification.topic == Self.topic.rawValue)
                count += 1
                if count == 2_500 { service.end() }
            case .failure:
                (failures, isFailureLast) = (failures + 1, true)
            case .gap, .mark:
                Issue.record("\(event)")
            }
        }
        #expect(count >= 2_500 && failures == 1 && isFailureLast)
        await service.close()
    }

    @Test func `the relay of the page rests at its mark, and its stream ends after close`() async throws {
        let service = try await LocalService.start(rate: 50_000)
        let (events, stream) = AsyncStream.makeStream(of: Relay.Event.self)
        let thread = try LoopThread()
        let relay = try await thread.submit { [loop = thread.loop] in
            LoopBound(try Relay(service.uri, topics: [Self.topic], on: loop, to: stream), on: loop)
        }
        var seen: [Relay.Event] = []
        for await event in events {
            seen.append(event)
            // Not resumed: only the end may follow.
            if case .mark = event { relay.execute { $0.close() } }
        }
        #expect(seen.count == 1_001)
        if case .mark? = seen.last {} else { Issue.record("\(String(describing: seen.last)) is not the mark") }
        await thread.shutdown()
        await service.close()
    }

    @Test @MainActor func `canceling the task of the relay closes its channel`() async throws {
        let service = try await LocalService.start(rate: 1_000)
        var task: Task<Void, any Error>?
        task = Task { @MainActor in
            try await follow(service.uri, topics: [Self.topic]) { _ in task?.cancel() }
        }
        try await task?.value
        // The service receives the channel's Close frame: its socket ends while the server runs.
        while try await service.openSocketCount() > 0 { await Task.yield() }
        await service.close()
    }
}

/// A simulator without TLS, on a loop with a thread of its own.
struct LocalService: Sendable {
    let uri: String
    let thread: LoopThread
    let server: LoopBound<SimulatorServer>

    static func start(rate: Double = 500) async throws -> LocalService {
        let thread = try LoopThread(name: "simulator")
        return try await thread.submit {
            var configuration = SimulatedService.Configuration()
            configuration.publishing.rate = rate
            let server = try SimulatorServer(on: thread.loop, tls: false, configuration: configuration, seed: 1)
            let uri = try server.createChannel().uri
            server.start()
            return LocalService(uri: uri, thread: thread, server: LoopBound(server, on: thread.loop))
        }
    }

    /// Ends its channel.
    func end() { server.execute { $0.revokeToken() } }

    func close() async { await thread.shutdown() }

    func openSocketCount() async throws -> Int {
        try await thread.submit { server.value.openSocketCount }
    }
}
