import Foundation
import Testing

/// `listen --metrics-listen`, through the built tool.
@Suite(.timeLimit(.minutes(patience(2)))) struct MetricsEndpointTests {
    @Test func `a channel that connects is alive and not ready`() async throws {
        // It accepts connections, and answers nothing.
        let held = try HeldPort(listens: true)
        try await Slots.taken {
            let listener = try await MetricsListener([
                "listen", "--uri", "ws://127.0.0.1:\(held.port)/", "--topic", "v2.a",
            ])
            #expect(listener.get("/healthz")?.body == "ok\n")
            #expect(listener.get("/metrics")?.body.contains("\ngenesys_loop_notifications_total 0\n") == true)
            let answer = try #require(listener.get("/readyz"))
            #expect(answer.status == 503)
            #expect(answer.body == "The channel is connecting: no subscription is confirmed yet.\n")
            #expect(await listener.stop().status == 0)
        }
    }

    @Test func `a channel is ready while it is subscribed, and not after its connection was lost`() async throws {
        try await Simulator.with("--rate", "200") { simulator in
            let listener = try await MetricsListener(simulator.listening())
            try await listener.event("subscribed")
            let ready = try #require(listener.get("/readyz"))
            #expect(ready.status == 200)
            #expect(ready.body == "ready\n")
            simulator.child.signal(SIGTERM)
            _ = await simulator.child.end()
            try await listener.event("reconnecting")
            let answer = try #require(listener.get("/readyz"))
            #expect(answer.status == 503)
            #expect(
                answer.body.wholeMatch(
                    of: /The connection was lost, and the channel is connecting again \(attempt \d+, \w+\)\.\n/) != nil,
                "\(answer.body)")
            #expect(listener.get("/healthz")?.status == 200)
            #expect(listener.get("/metrics")?.status == 200)
            #expect(await listener.stop().status == 0)
        }
    }

    @Test func `the metrics count what the tool prints`() async throws {
        try await Simulator.with("--rate", "200") { simulator in
            let listener = try await MetricsListener(simulator.listening())
            for _ in 0..<20 { _ = await listener.child.output?.nextLine() }
            let metrics = try #require(listener.get("/metrics"))
            let count = metrics.body.firstMatch(of: /\ngenesys_loop_notifications_total (\d+)\n/).flatMap { Int($0.1) }
            #expect(count ?? 0 >= 20)
            #expect(metrics.body.contains("\ngenesys_loop_output_queued_bytes "))
            #expect(metrics.body.contains("\ngenesys_loop_dropped_lines_total 0\n"))
            // The channel's URI is a secret.
            #expect(!metrics.body.contains(simulator.announcement.uri.split(separator: "/").last ?? "-"))
            try MetricsListener.expectWhole(await listener.stop())
        }
    }

    @Test func `no client of the metrics costs the channel a notification`() async throws {
        try await Simulator.with("--rate", "2000") { simulator in
            let listener = try await MetricsListener(simulator.listening())
            try await listener.event("subscribed")
            // These stay: heads that do not end, requests whose answers are not read, and silence.
            let slow = try (0..<4).map { _ in try listener.connect() }
            for client in slow { client.send("GET /metrics HTTP/1.1\r\nX-") }
            let unread = try (0..<4).map { _ in try listener.connect(receiveByteCount: 4_096) }
            for client in unread {
                client.send(String(repeating: "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", count: 1_000))
            }
            let silent = try (0..<4).map { _ in try listener.connect() }
            for garbage in ["\u{16}\u{3}\u{1}\n", "\u{0}\u{0}\r\n\r\n", String(repeating: "a", count: 200_000)] {
                let client = try listener.connect()
                client.send(garbage)
                #expect([400, 431].contains(client.next()?.status ?? 0))
            }
            #expect(try Self.scrapeAtOnce(100, listener) >= 16)
            for _ in 0..<(isWhole ? 10_000 : 500) { #expect(listener.get("/metrics")?.status == 200) }
            for client in slow { client.send("Y: z\r\n") }
            withExtendedLifetime((slow, unread, silent)) {}
            // It still receives.
            for _ in 0..<100 { #expect(await listener.child.output?.nextLine() != nil) }
            try MetricsListener.expectWhole(await listener.stop())
        }
    }

    /// Opens connections before the first request; returns how many got the metrics. The others get 503.
    private static func scrapeAtOnce(_ count: Int, _ listener: MetricsListener) throws -> Int {
        let clients = try (0..<count).map { _ in try listener.connect() }
        for client in clients { client.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") }
        // A client that gets its 503 late may get a reset in its place.
        let statuses = clients.map { $0.next()?.status }
        #expect(statuses.allSatisfy { $0 == nil || $0 == 503 || $0 == 200 })
        return statuses.count { $0 == 200 }
    }

    @Test func `a signal ends the tool at once, whatever its clients are doing`() async throws {
        try await Simulator.with("--rate", "200") { simulator in
            let listener = try await MetricsListener(simulator.listening())
            try await listener.event("subscribed")
            let clients = try (0..<40).map { _ in try listener.connect(receiveByteCount: 4_096) }
            for (index, client) in clients.enumerated() {
                let count = [0, 1, 2_000][index % 3]
                client.send(String(repeating: "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", count: count))
                if index % 2 == 0 { client.send("GET /met") }
            }
            let start = ContinuousClock.now
            let end = await listener.stop()
            // The shortest deadline of a connection is longer.
            if !isSanitized { #expect(end.instant - start < .seconds(4)) }
            try MetricsListener.expectWhole(end)
            withExtendedLifetime(clients) {}
        }
    }

    private var isSanitized: Bool { ProcessInfo.processInfo.environment["GENESYS_LOOP_SANITIZER"] != nil }

    @Test func `the tool ends by itself with connections open`() async throws {
        try await Simulator.with("--rate", "200") { simulator in
            let listener = try await MetricsListener(simulator.listening("--count", "50"))
            let client = try listener.connect()
            client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(client.next()?.status == 200)
            let end = await listener.child.end()
            #expect(try MetricsListener.sequences(end).count == 50)
            try MetricsListener.expectWhole(end)
            #expect(client.rest() == [])
        }
    }

    @Test func `clients that take all descriptors leave enough for the channel to connect again`() async throws {
        let script = FileManager.default.temporaryDirectory.appending(path: "metrics-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: script) }
        let text = #"{"repeat":0.5,"steps":[{"at":0.5,"do":"disconnect","by":"reset"}]}"#
        try text.write(to: script, atomically: true, encoding: .utf8)
        try await Simulator.with("--rate", "200", "--script", script.path) { simulator in
            let listener = try await MetricsListener(simulator.listening(), descriptorLimit: 40)
            try await listener.event("subscribed")
            let clients = try (0..<60).map { _ in try listener.connect() }
            for client in clients { client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n") }
            try await listener.event("recovered")
            #expect(clients.count { $0.next()?.status == 200 } > 0)
            #expect(await listener.stop().status == 0)
        }
    }

    // MARK: - The address

    @Test func `a port in use and an address of another machine end with 69 before the channel is opened`() async throws
    {
        let held = try HeldPort(listens: true)
        for (value, reason) in [
            ("127.0.0.1:\(held.port)", "Port \(held.port) on 127.0.0.1 is in use"),
            (":\(held.port)", "Port \(held.port) on 127.0.0.1 is in use"),
            ("192.0.2.1:0", "192.0.2.1 is not an address of this machine"),
        ] {
            let service = try HeldPort()
            let end = try await Tool.run(
                ["listen", "--uri", "ws://127.0.0.1:\(service.port)/", "--topic", "v2.a", "--events"]
                    + ["--metrics-listen", value], mayLeak: true)
            #expect(end.status == 69)
            let events = try Tool.events(end.errors)
            #expect(events.count == 1 && events[0]["level"] as? String == "error", "\(end.errors)")
            #expect((events.first?["message"] as? String)?.hasPrefix("--metrics-listen: \(reason)") == true)
        }
    }

    @Test(arguments: ["9464", "example.com:9464", "::1:9464", ":99999", ""])
    func `a value that is no address ends with 64`(value: String) async throws {
        let end = try await Tool.run(
            ["listen", "--uri", "ws://127.0.0.1:1/", "--topic", "v2.a", "--metrics-listen", value], mayLeak: true)
        #expect(end.status == 64)
        #expect(end.errors.contains("--metrics-listen") && end.errors.contains("127.0.0.1:9464"), "\(end.errors)")
    }

    @Test func `an address that others can reach is warned of, and the address is said whatever is logged`()
        async throws
    {
        let held = try HeldPort(listens: true)
        for (host, level, levels) in [
            ("0.0.0.0", "warning", ["notice", "warning"]), ("[::]", "warning", ["notice", "warning"]),
            ("0.0.0.0", "critical", ["notice"]), ("[::1]", "critical", ["notice"]), ("localhost", "info", ["notice"]),
        ] {
            try await Slots.taken {
                let listener = try await MetricsListener(
                    ["listen", "--uri", "ws://127.0.0.1:\(held.port)/", "--topic", "v2.a", "--log-level", level],
                    host: host)
                if host != "[::1]" { #expect(listener.get("/healthz")?.status == 200) }
                let events = try Tool.events(await listener.stop().errors)
                let logged = events.filter { "\($0["message"] ?? "")".contains("etrics") }
                #expect(logged.compactMap { $0["level"] as? String } == levels)
            }
        }
    }
}
