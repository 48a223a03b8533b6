import GenesysSimulator
import Logging
import Testing

@testable import GenesysLoop
@testable import GenesysPlatform

/// A loop with the simulated service and a `Platform`, and what the delegates were told.
final class PlatformStage: ProvisionedChannelDelegate, PlatformDelegate {
    let loop: UVLoop
    let server: SimulatorServer
    var platform: Platform?
    /// The calls of both delegates, in their order.
    private(set) var log: [String] = []
    private(set) var failure: ChannelFailure?
    private(set) var notificationCount = 0
    private(set) var rejections: [RejectedTopics] = []
    /// Called after each entry of `log`.
    var didLog: (PlatformStage, String) -> Void = { _, _ in }

    static let topics: [Topic] = ["v2.users.a.presence", "v2.users.b.presence"]

    init(
        on loop: UVLoop? = nil, seed: UInt64 = 1, configure: (inout SimulatedService.Configuration) -> Void = { _ in }
    ) throws {
        let loop = try loop ?? UVLoop()
        self.loop = loop
        var configuration = SimulatedService.Configuration()
        configuration.tokens.areRequired = true
        configuration.publishing.rate = 100
        configure(&configuration)
        server = try SimulatorServer(on: loop, configuration: configuration, seed: seed)
        server.start()
    }

    var trust: TLSConfiguration {
        var tls = TLSConfiguration()
        tls.trust = .pem(server.certificates?.caCertificatePEM ?? [])
        return tls
    }

    var region: PlatformRegion {
        get throws { try PlatformRegion(loginBase: server.restBase, apiBase: server.restBase) }
    }

    @discardableResult
    func makePlatform(
        secret: String = "simulated-secret", credentials: PlatformCredentials? = nil,
        change: (inout PlatformConfiguration) -> Void = { _ in }
    ) throws -> Platform {
        var configuration = PlatformConfiguration()
        configuration.tls = trust
        change(&configuration)
        let credentials = try credentials ?? .client(id: "simulated-client", secret: secret)
        let platform = try Platform(
            region: try region, credentials: credentials, on: loop, delegate: self, configuration: configuration)
        self.platform = platform
        return platform
    }

    func makeChannel(
        _ topics: [Topic] = PlatformStage.topics, total: Duration? = .seconds(20),
        change: (inout ChannelConfiguration) -> Void = { _ in }
    ) throws -> ProvisionedChannel {
        var configuration = ChannelConfiguration()
        configuration.tls = trust
        var backoff = ReconnectPolicy.Backoff()
        backoff.initialTotal = total
        backoff.base = .milliseconds(1)
        configuration.reconnect = .backoff(backoff)
        change(&configuration)
        let platform = try self.platform ?? makePlatform()
        return try ProvisionedChannel(topics: topics, on: platform, delegate: self, configuration: configuration)
    }

    func run(until isSo: () -> Bool) throws {
        var rounds = 0
        while !isSo(), rounds < 20_000 {
            loop.run(for: .milliseconds(1))
            rounds += 1
        }
        try #require(isSo(), "the condition never held: \(log)")
    }

    /// Runs until the log has an entry that begins with this text.
    func run(untilLogged text: String, count: Int = 1) throws {
        try run { log.filter { $0.hasPrefix(text) }.count >= count }
    }

    /// Nothing may be left on the loop when channel and server are closed.
    func leave() {
        platform = nil
        server.close()
        loop.run()
        #expect(loop.registry.openCount == 1, "\(loop)")
        #expect(loop.holdCount == 0)
    }

    var requests: [String] { server.service.requests.map { "\($0.method) \($0.path)" } }

    private func add(_ entry: String) {
        log.append(entry)
        didLog(self, entry)
    }

    // MARK: - Delegates

    func platform(_ platform: Platform, didObtainToken lifetime: Duration?) {
        add("token \(lifetime.map { "\($0.components.seconds / 100 * 100) s" } ?? "unknown")")
    }
    func platform(_ platform: Platform, isThrottledFor delay: Duration) { add("throttled") }
    func channel(_ channel: ProvisionedChannel, didReceive notification: ChannelNotification) {
        notificationCount += 1
    }
    func channel(_ channel: ProvisionedChannel, didFail failure: ChannelFailure) {
        self.failure = failure
        add("failed \(failure.phase) \(failure.reason)")
    }
    func channel(_ channel: ProvisionedChannel, didMiss gap: Gap) { add("gap \(gap.reason)") }
    func channel(_ channel: ProvisionedChannel, willExpire expiry: Expiry) { add("will expire") }
    func channel(_ channel: ProvisionedChannel, didChange state: ChannelState) { add("\(state)") }
    func channel(_ channel: ProvisionedChannel, didSubscribe topics: [Topic]) { add("subscribed \(topics.count)") }
    func channel(_ channel: ProvisionedChannel, willReconnect attempt: ReconnectAttempt) {
        add("reconnecting \(attempt.reason)")
    }
    func channel(_ channel: ProvisionedChannel, didFailRollover failure: ChannelFailure) { add("move failed") }
    func channel(_ channel: ProvisionedChannel, didReject topics: RejectedTopics) {
        rejections.append(topics)
        add("rejected \(topics.topics) \(topics.rejections.map(\.missingPermissions))")
    }
    func channel(_ channel: ProvisionedChannel, didRecover recovery: Recovery) { add("recovered \(recovery.method)") }
    func channel(_ channel: ProvisionedChannel, didMake count: ChannelCount) {
        add("made \(count.ours) \(count.all.map { "\($0)" } ?? "-")")
    }
    func channel(_ channel: ProvisionedChannel, didLoseChannel reason: FailureReason) { add("gone \(reason)") }
    func channelDidClose(_ channel: ProvisionedChannel) { add("closed") }
}
