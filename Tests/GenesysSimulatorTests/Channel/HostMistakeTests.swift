import CUV
import GenesysLoop
import GenesysSimulator
import Logging
import Testing

/// Likely mistakes of a host are reported once.
@Suite(.timeLimit(.minutes(patience(1)))) struct HostMistakeTests {
    private final class SocketHost: WebSocketClientDelegate {
        func webSocket(_ client: WebSocketClient, didReceiveText text: Span<UInt8>) {}
        func webSocket(_ client: WebSocketClient, didReceiveBinary bytes: Span<UInt8>) {}
        func webSocket(_ client: WebSocketClient, didClose code: CloseCode, reason: String) {}
        func webSocket(_ client: WebSocketClient, didFail failure: WebSocketFailure) {}
    }

    /// A loop, and the log messages of it and of its channels.
    private struct Bench {
        let loop: UVLoop
        let common = RecordedLog()
        let own = RecordedLog()
        /// A URI at which no server listens.
        let uri: String

        init() throws {
            loop = try UVLoop()
            loop.logger = common.logger
            let server = try SimulatorServer(on: loop, tls: false, seed: 1)
            server.start()
            uri = try server.createChannel().uri
            server.close {}
            loop.run()
        }

        func channel(
            _ host: RecordingHost?, _ configure: (inout ChannelConfiguration) -> Void = { _ in }
        ) throws -> NotificationChannel {
            var configuration = ChannelConfiguration()
            configuration.logger = own.logger
            configure(&configuration)
            return try NotificationChannel(
                uri: uri, topics: ["v2.a.b.c"], on: loop, delegate: host, configuration: configuration)
        }

        func client(_ host: SocketHost?) throws -> WebSocketClient {
            var configuration = WebSocketClientConfiguration()
            configuration.logger = own.logger
            return try WebSocketClient(uri: uri, on: loop, delegate: host, configuration: configuration)
        }
    }

    enum Absence: CaseIterable { case gone, removed }

    private func check(_ bench: Bench, _ absence: Absence) {
        #expect(bench.own.warnings.count == (absence == .removed ? 0 : 1))
        #expect(bench.own.warnings.allSatisfy { $0.contains("its delegate is gone") })
        #expect(bench.own.warnings.allSatisfy { !$0.contains("/channels/") }, "the URI is a secret")
        #expect(
            bench.common.warnings
                == (absence == .removed
                    ? []
                    : ["Channels or clients that ended without a delegate: 1. It is held weakly: keep it."]))
    }

    @Test(arguments: Absence.allCases, [true, false])
    func `a channel that has nobody to tell says so, unless its host wanted it so`(
        absence: Absence, isFinal: Bool
    ) throws {
        let bench = try Bench()
        var host: RecordingHost? = RecordingHost()
        let channel = try bench.channel(host) { if isFinal { $0.reconnect = .never } }
        channel.open()
        if absence == .removed { channel.delegate = nil }
        host = nil
        #expect(host == nil)
        bench.loop.run()
        bench.loop.run()
        check(bench, absence)
    }

    @Test(arguments: Absence.allCases)
    func `a client that has nobody to tell says so, unless its host wanted it so`(absence: Absence) throws {
        let bench = try Bench()
        var host: SocketHost? = SocketHost()
        let client = try bench.client(host)
        client.open()
        if absence == .removed { client.delegate = nil }
        host = nil
        #expect(host == nil)
        bench.loop.run()
        check(bench, absence)
    }

    @Test func `a delegate that is gone at a delivery closes the channel, with one warning`() throws {
        let playground = try Playground()
        let (common, own) = (RecordedLog(), RecordedLog())
        playground.loop.logger = common.logger
        var host: RecordingHost? = RecordingHost()
        host?.onNotification = { _ in
            host?.forget()
            host = nil
            playground.server.close {}
        }
        if let host { try playground.channel(host) { $0.logger = own.logger }.open() }
        playground.loop.run()
        #expect(host == nil)
        #expect(own.warnings.count == 1)
        #expect(own.warnings.first?.contains("is closed: its delegate is gone") == true)
        #expect(common.warnings.count == 1)
    }

    // MARK: - open()

    @Test func `opening a channel without a delegate traps with a sentence`() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try Bench().channel(nil).open()
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("NotificationChannel.open() was called without a delegate"), "\(text)")
    }

    @Test func `opening a client whose delegate was removed traps with a sentence`() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let host = SocketHost()
            let client = try Bench().client(host)
            client.delegate = nil
            client.open()
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("WebSocketClient.open() was called without a delegate"), "\(text)")
    }

    @Test func `a delegate that is gone before open() closes the channel, with one warning`() throws {
        let bench = try Bench()
        let channel = try bench.channel(RecordingHost())
        channel.open()
        bench.loop.run()
        check(bench, .gone)
        #expect(channel.state == .ended && channel.statistics.connectionCount == 0)
    }

    @Test func `a channel or a client that was never opened is told when run() returns`() throws {
        let bench = try Bench()
        let (host, socketHost) = (RecordingHost(), SocketHost())
        let channel = try bench.channel(host)
        let client = try bench.client(socketHost)
        bench.loop.run()
        #expect(bench.own.warnings.count { $0.contains("was never opened: call open()") } == 2)
        #expect(bench.common.warnings == ["Channels or clients that were made and never opened: 2. Call open()."])
        bench.loop.run()
        channel.close()
        client.open()
        bench.loop.run()
        #expect(host.events == [.closed])
        #expect(bench.own.warnings.count == 2 && bench.common.warnings.count == 1, "once")
    }

    @Test func `one that is dropped without open() says so then, and run() counts it`() throws {
        let bench = try Bench()
        _ = try bench.channel(RecordingHost())
        #expect(bench.own.warnings.count == 1)
        _ = try bench.client(SocketHost())
        #expect(bench.own.warnings.count == 2)
        #expect(bench.common.warnings.isEmpty)
        bench.loop.run()
        #expect(bench.own.warnings.count == 2)
        #expect(bench.common.warnings == ["Channels or clients that were made and never opened: 2. Call open()."])
    }

    @Test func `what may still be opened after stop(), or was closed, is no mistake`() throws {
        let bench = try Bench()
        let host = RecordingHost()
        let channel = try bench.channel(host)
        bench.loop.stop()
        bench.loop.run()
        channel.close()
        bench.loop.run()
        #expect(host.events == [.closed])
        #expect(bench.own.warnings.isEmpty && bench.common.warnings.isEmpty)
    }

    // MARK: - Blocks

    @Test func `a block given to a loop that has ended is told once, and runs if the loop does`() throws {
        let loop = try UVLoop()
        let log = RecordedLog()
        loop.logger = log.logger
        let runs = RecordedLog()
        let note: @Sendable () -> Void = { runs.logger.warning("ran") }
        loop.execute(note)
        loop.run()
        #expect(log.warnings.isEmpty)
        loop.execute(note)
        loop.execute(note)
        #expect(runs.warnings.count == 1)
        #expect(log.warnings.count == 1)
        #expect(log.warnings.first?.contains("run() has returned") == true)
        loop.run()
        #expect(runs.warnings.count == 3)
    }

    @Test func `a block that never runs is told when its loop is released`() throws {
        let log = RecordedLog()
        do {
            let loop = try UVLoop()
            loop.logger = log.logger
            loop.execute {}
            loop.execute {}
        }
        #expect(log.warnings.count == 1)
        #expect(log.warnings.first?.contains("the loop was released") == true)
    }

    @Test func `a block given to a loop that was detached from is told`() throws {
        let log = RecordedLog()
        let raw = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
        // Closed before it is freed.
        defer { unsafe raw.deallocate() }
        #expect(unsafe uv_loop_init(raw) == 0)
        let loop = try unsafe UVLoop(adopting: raw)
        loop.logger = log.logger
        let channel = try NotificationChannel(uri: "ws://127.0.0.1:9/", topics: [], on: loop)
        loop.detach {}
        unsafe _ = uv_run(raw, UV_RUN_DEFAULT)
        #expect(log.warnings == ["Channels or clients that were made and never opened: 1. Call open()."])
        loop.execute {}
        loop.execute {}
        #expect(log.warnings.count == 2)
        #expect(log.warnings.last?.contains("detach(completion:) has taken effect") == true)
        #expect(unsafe uv_loop_close(raw) == 0)
        withExtendedLifetime(channel) {}
    }
}
