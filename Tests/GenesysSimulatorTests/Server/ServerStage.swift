import GenesysLoop
import GenesysSimulator
import Testing

/// A loop with a server and one channel on it, and a watchdog that ends a hanging test.
final class ServerStage: TimerOwner {
    typealias Configuration = SimulatedService.Configuration

    let loop: UVLoop
    let server: SimulatorServer
    let id: String
    let uri: String
    private(set) var hasTimedOut = false
    private var watchdog: Timer?
    /// Released at the end of a test, with everything their closures captured.
    private var actors: [any StageActor] = []

    /// The feed is off unless `change` enables it, so that each test receives only what it requested.
    init(tls: Bool = true, seed: UInt64 = 1, _ change: (inout Configuration) -> Void = { _ in }) throws {
        var configuration = Configuration()
        configuration.publishing.rate = 0
        change(&configuration)
        loop = try UVLoop()
        server = try SimulatorServer(on: loop, tls: tls, configuration: configuration, seed: seed)
        (uri, id) = try server.createChannel()
        server.start()
    }

    func timerDidFire(_ timer: Timer) {
        hasTimedOut = true
        loop.stop()
    }

    /// Runs until `end()` was called and everything is closed.
    func run() {
        let watchdog = Timer(loop: loop, group: HandleGroup(loop: loop), owner: self)
        watchdog.start(at: loop.now.instant + .seconds(30 * patience(1)))
        self.watchdog = watchdog
        loop.run()
        #expect(!hasTimedOut, "the test did not come to its end")
        #expect(server.openSocketCount == 0)
        self.watchdog?.close()
        for actor in actors { actor.forget() }
        actors = []
    }

    func add(_ actor: any StageActor) { actors.append(actor) }

    /// Closes the server, which leaves the loop nothing to do.
    func end() {
        server.close { [self] in
            watchdog?.close()
            watchdog = nil
        }
    }

    /// A channel of the library that trusts the server and gives up at its first loss.
    func open(
        _ host: Host, topics: [Topic] = [stageTopic], _ change: (inout ChannelConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = ChannelConfiguration()
        // Without TLS too, because the system's store may be missing on a small machine.
        let pem = server.caCertificatePEM
        configuration.tls.trust = .pem(pem.isEmpty ? try SimulatorCertificates.inMemory().caCertificatePEM : pem)
        configuration.reconnect = .never
        change(&configuration)
        let channel = try NotificationChannel(
            uri: uri, topics: topics, on: loop, delegate: host, configuration: configuration)
        host.didFail = { [self] in end() }
        host.didClose = { [self] in end() }
        add(host)
        channel.open()
    }

    func publish(_ number: Int) {
        server.publish(eventBody: Array("{\"n\":\(number)}".utf8), to: stageTopic)
    }
}

/// Holds closures that may capture itself and the stage.
protocol StageActor: AnyObject {
    /// Releases the closures.
    func forget()
}

let stageTopic: Topic = "v2.users.0f3c4a1e-0000-4000-8000-00000000000a.presence"

/// A delegate that records what it receives.
final class Host: NotificationChannelDelegate, StageActor {
    struct Body: Decodable {
        let n: Int
    }

    var notificationCount = 0
    var numbers: [Int] = []
    var recoveries: [Recovery.Method] = []
    var gapCount = 0
    var expiryCount = 0
    var failure: ChannelFailure?
    var isClosed = false

    var didSubscribe: (NotificationChannel) -> Void = { _ in }
    var didNotify: (NotificationChannel, Int) -> Void = { _, _ in }
    var didReceive: (NotificationChannel, Int) -> Void = { _, _ in }
    var didRecover: (NotificationChannel) -> Void = { _ in }
    var didFail: () -> Void = {}
    var didClose: () -> Void = {}

    func forget() {
        (didSubscribe, didNotify, didReceive) = ({ _ in }, { _, _ in }, { _, _ in })
        (didRecover, didFail, didClose) = ({ _ in }, {}, {})
    }

    func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic]) { didSubscribe(channel) }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        notificationCount += 1
        didNotify(channel, notificationCount)
        guard let body = try? notification.decode(Body.self) else { return }
        numbers.append(body.n)
        didReceive(channel, body.n)
    }

    func channel(_ channel: NotificationChannel, didRecover recovery: Recovery) {
        recoveries.append(recovery.method)
        didRecover(channel)
    }

    func channel(_ channel: NotificationChannel, didMiss gap: Gap) { gapCount += 1 }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) { expiryCount += 1 }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        self.failure = failure
        didFail()
    }

    func channelDidClose(_ channel: NotificationChannel) {
        isClosed = true
        didClose()
    }
}
