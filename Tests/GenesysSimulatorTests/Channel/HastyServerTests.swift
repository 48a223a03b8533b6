import Foundation
import GenesysLoop
import GenesysSimulator
import ServerKit
import Testing

extension Tag {
    /// Needs real time, and runs only with `Scripts/test --all`.
    @Tag static var realTime: Self
}

/// A server that accepts every connection and ends it at once.
private final class HastyServer: TCPListenerOwner {
    let loop: UVLoop
    private let listener: TCPListener
    private(set) var acceptedAt: [Instant] = []

    init(_ loop: UVLoop) throws {
        self.loop = loop
        listener = TCPListener(loop: loop, group: HandleGroup(loop: loop))
        try listener.bind()
        unsafe listener.owner = self
    }

    deinit { listener.close() }

    var port: UInt16 { listener.localPort }

    func close() { listener.close() }

    func listener(_ listener: TCPListener, didAccept connection: TCPConnection) {
        acceptedAt.append(loop.now.instant)
        connection.close()
    }

    func listener(_ listener: TCPListener, didFailWith error: UVError) { Issue.record("\(error)") }
}

@Suite(
    .serialized, .timeLimit(.minutes(patience(1))), .tags(.realTime),
    .enabled(if: ProcessInfo.processInfo.environment["GENESYS_LOOP_ALL"] != nil, "ten seconds each: with --all only"))
struct HastyServerTests {
    /// The bounds of full jitter for the delay before attempt `index`, from 0 (design: 0.1 s to 0.5 s · 2ⁿ).
    private func limits(_ index: Int) -> ClosedRange<Duration> {
        .milliseconds(100)...max(.milliseconds(100), min(.seconds(90), .milliseconds(500 << min(index, 8))))
    }

    @Test func `a server that accepts and dies is contacted no more often than the policy allows`() throws {
        let loop = try UVLoop()
        let server = try HastyServer(loop)
        let host = DelayHost()
        let channel = try NotificationChannel(
            uri: "ws://127.0.0.1:\(server.port)/channels/streaming-1-a", topics: ["v2.users.ID.presence"], on: loop,
            delegate: host)
        host.onEnd = { server.close() }
        channel.open()
        let ending = Deadline(loop, after: .seconds(10)) { channel.close() }
        loop.run()
        withExtendedLifetime(ending) {}
        host.onEnd = {}
        try #require(server.acceptedAt.count >= 2)
        #expect(host.delays.count - server.acceptedAt.count <= 0 && server.acceptedAt.count - host.delays.count <= 1)
        for (index, delay) in host.delays.enumerated() { #expect(limits(index).contains(delay)) }
        for (index, pair) in zip(server.acceptedAt, server.acceptedAt.dropFirst()).enumerated() {
            #expect(pair.1 - pair.0 >= host.delays[index], "attempt \(index + 1) came before its time")
        }
    }

    @Test func `a service that confirms and dies is contacted ever less often`() throws {
        let playground = try Playground()
        let host = DelayHost()
        host.onConfirmation = { playground.server.disconnect(.all, .reset) }
        var configuration = ChannelConfiguration()
        configuration.tls.trust = .pem(playground.server.caCertificatePEM)
        let channel = try NotificationChannel(
            uri: playground.server.createChannel().uri, topics: playground.topics, on: playground.loop,
            delegate: host, configuration: configuration)
        host.onEnd = { playground.server.close {} }
        channel.open()
        let ending = Deadline(playground.loop, after: .seconds(10)) { channel.close() }
        playground.loop.run()
        withExtendedLifetime(ending) {}
        host.onEnd = {}
        host.onConfirmation = {}
        try #require(host.delays.count >= 2)
        // A confirmation alone does not reset the delays: only 60 s of life do.
        for (index, delay) in host.delays.enumerated() { #expect(limits(index).contains(delay)) }
        #expect(host.delays.count < 40)
    }
}

/// Calls once, later.
private final class Deadline: TimerOwner {
    private let timer: GenesysLoop.Timer
    private var act: () -> Void

    init(_ loop: UVLoop, after delay: Duration, _ act: @escaping () -> Void) {
        self.act = act
        timer = GenesysLoop.Timer(loop: loop, group: HandleGroup(loop: loop))
        unsafe timer.owner = self
        timer.start(at: loop.now.instant + delay)
    }

    func timerDidFire(_ timer: GenesysLoop.Timer) {
        timer.close()
        act()
        act = {}
    }
}

/// Records the announced delays.
private final class DelayHost: NotificationChannelDelegate {
    private(set) var delays: [Duration] = []
    var onConfirmation: () -> Void = {}
    var onEnd: () -> Void = {}

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {}
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) { onEnd() }
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}
    func channel(_ channel: NotificationChannel, willReconnect attempt: ReconnectAttempt) {
        delays.append(attempt.delay)
    }
    func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic]) { onConfirmation() }
    func channel(_ channel: NotificationChannel, didRecover recovery: Recovery) { onConfirmation() }
    func channelDidClose(_ channel: NotificationChannel) { onEnd() }
}
