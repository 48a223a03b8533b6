import GenesysLoop
import GenesysSimulator
import ToolSupport

/// The two ends of `demo` on one loop: a simulated service, and a listener that connects to it over real TLS.
final class DemoHost: NotificationChannelDelegate {
    /// From the confirmation to the maintenance notice.
    private static let maintenanceDelay: Duration = .milliseconds(2_500)
    /// Shorter than 23 h, so that the extension is visible; counted from the last confirmation.
    private static let lifetime: Duration = .seconds(4)
    /// How long it runs without `--count`.
    private static let length: Duration = .milliseconds(9_000)
    /// The longest time without progress.
    private static let patience: Duration = .seconds(30)
    private static let minimumCount = 20

    /// The exit status; nil while it runs.
    var status: ExitStatus? { run.status }

    private let loop: UVLoop
    private let server: SimulatorServer
    private let run: PrintedChannel
    private let narrator: DemoNarrator
    private let count: Int?
    private var channel: NotificationChannel?
    private var tally = DemoTally()
    private var isTimeOver = false
    private var countAtLastLook = 0

    private var timers: [LoopTimer] = []

    init(loop: UVLoop, writer: LineWriter, count: Int?) throws {
        self.loop = loop
        self.count = count
        var configuration = SimulatedService.Configuration()
        // For many notifications the rate is higher, so that the run takes about as long.
        configuration.publishing.rate = max(12, min(Double(count ?? 0) / 6, 2_000))
        var seed = SystemRandomNumberGenerator()
        server = try SimulatorServer(on: loop, configuration: configuration, seed: seed.next())
        run = PrintedChannel(loop: loop, writer: writer)
        narrator = DemoNarrator()
        var settings = ChannelConfiguration()
        settings.tls.trust = .pem(server.caCertificatePEM)
        settings.lifetime = DemoHost.lifetime
        channel = try NotificationChannel(
            uri: try server.createChannel().uri, topics: DemoNarrator.topics, on: loop, delegate: self,
            configuration: settings)
    }

    func start() {
        narrator.say(
            "service",
            "a simulated notification service listens on port \(server.port), with TLS and certificates of "
                + "its own")
        if count == nil { schedule(after: DemoHost.length) { $0.timeIsOver() } } else { isTimeOver = true }
        watch()
        server.start()
        if let channel { run.open(channel) }
    }

    /// The user requested the end.
    func interrupt() {
        run.close(with: .success)
    }

    /// The thread that writes to standard output reports something.
    func writerDidReport(_ report: LineWriter.Report) {
        run.writerDidReport(report)
    }

    /// Prints the last line.
    func summarize() {
        guard !run.isQuiet else { return }
        narrator.say("summary", tally.summary)
    }

    private func schedule(after delay: Duration, _ body: @escaping (DemoHost) -> Void) {
        timers.removeAll { !$0.isPending }
        timers.append(loop.schedule(after: delay) { body(self) })
    }

    private func timeIsOver() {
        isTimeOver = true
        endIfDone()
    }

    private func watch() {
        schedule(after: DemoHost.patience) { $0.look() }
    }

    // MARK: - The end

    private func endIfDone() {
        guard isTimeOver, tally.isComplete, run.printer.lineCount >= count ?? DemoHost.minimumCount else { return }
        run.close(with: .success)
    }

    /// Checks whether anything arrived since the last look.
    private func look() {
        guard tally.isComplete, run.printer.lineCount > countAtLastLook else {
            narrator.say("failed", "\(tally.missing ?? "a notification") did not come within 30 seconds")
            return run.close(with: .unavailable)
        }
        countAtLastLook = run.printer.lineCount
        watch()
    }

    private func ended(_ failure: ChannelFailure? = nil) {
        run.ended(failure)
        channel = nil
        for timer in timers { timer.cancel() }
        server.close()
    }
}

extension DemoHost {
    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        run.printer.print(notification)
        tally.count(notification)
        endIfDone()
    }

    func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic]) {
        narrator.didSubscribe(topics)
        schedule(after: DemoHost.maintenanceDelay) { $0.server.announceMaintenance() }
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {
        narrator.willExpire(expiry)
    }

    func channel(_ channel: NotificationChannel, didRecover recovery: Recovery) {
        tally.count(recovery)
        narrator.didRecover(recovery)
        endIfDone()
    }

    func channel(_ channel: NotificationChannel, willReconnect attempt: ReconnectAttempt) {
        narrator.willReconnect(attempt)
    }

    func channel(_ channel: NotificationChannel, didFailRollover failure: ChannelFailure) {
        narrator.say("rollover", "\(failure)")
    }

    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {
        narrator.didMiss(gap)
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        narrator.say("failed", "\(failure)")
        ended(failure)
    }

    func channelDidClose(_ channel: NotificationChannel) {
        if !run.isQuiet { narrator.say("closed", "the closing handshake is done, and the last socket is closed") }
        ended()
    }
}
