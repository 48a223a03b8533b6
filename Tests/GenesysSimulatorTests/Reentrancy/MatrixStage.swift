import Foundation
import GenesysLoop
import GenesysSimulator
import Testing

/// A simulator on a loop, and all sessions of one cell of a matrix at once.
final class MatrixStage: TimerOwner {
    /// How many rounds of each cell are played: more if the run may take long.
    static let roundCount: Int = {
        let environment = ProcessInfo.processInfo.environment
        guard environment["GENESYS_LOOP_ALL"] != nil else { return 10 }
        return environment["GENESYS_LOOP_SANITIZER"] == nil ? 1_000 : 50
    }()
    /// Rounds that share a loop.
    static let batch = 10

    /// Made once: creating them takes longer than a round.
    private static let certificates = Result { try SimulatorCertificates.inMemory() }

    let loop: UVLoop
    let server: SimulatorServer
    let topics: [Topic] = ["v2.users.a.presence", "v2.users.b.presence"]
    static let forbiddenTopic: Topic = "v2.users.c.presence"
    private var openCount = 0
    private var runCount = 0
    private(set) var stopCount = 0
    private var watchdog: GenesysLoop.Timer?
    private var isOver = false

    init(tls: Bool, rate: Double) throws {
        loop = try UVLoop()
        var configuration = SimulatedService.Configuration()
        configuration.publishing.rate = rate
        configuration.channels.maxCount = 1_000
        configuration.channels.forbiddenTopics = [Self.forbiddenTopic]
        configuration.endings.supersededDelay = .zero ... .milliseconds(1)
        server = try SimulatorServer(
            on: loop, tls: tls, certificates: tls ? Self.certificates.get() : nil, configuration: configuration, seed: 1
        )
        server.start()
        let watchdog = GenesysLoop.Timer(loop: loop, group: HandleGroup(loop: loop))
        unsafe watchdog.owner = self
        watchdog.start(at: loop.now.instant + .seconds(60 * patience(1)))
        self.watchdog = watchdog
    }

    deinit { watchdog?.close() }

    var trust: TLSConfiguration {
        server.certificates.map { TLSConfiguration(trust: .pem($0.caCertificatePEM)) } ?? TLSConfiguration()
    }

    func sessionDidBegin() { openCount += 1 }

    func sessionDidEnd() {
        openCount -= 1
        if openCount == 0 { end() }
    }

    func stopLoop() {
        stopCount += 1
        loop.stop()
    }

    /// Calls everything of the loop that a delegate may call; `body` runs in a timer.
    func useLoop(_ body: @escaping () -> Void) {
        loop.keepsRunning = true
        loop.schedule(after: .zero) { Issue.record("a canceled timer fired") }.cancel()
        loop.schedule(after: .zero) { [loop] in
            body()
            loop.keepsRunning = false
        }
        #expect(loop.execute {} == .taken)
    }

    /// Runs the loop repeatedly until all sessions and the server have ended.
    func run() {
        repeat {
            loop.run()
            runCount += 1
        } while !isOver
        #expect(openCount == 0, "sessions did not end")
        if stopCount > 0 { #expect(runCount > 1) }
        #expect("\(loop)" == "UVLoop(nothing open)")
    }

    private func end() {
        watchdog?.close()
        watchdog = nil
        server.close { self.isOver = true }
    }

    func timerDidFire(_ timer: GenesysLoop.Timer) {
        Issue.record("the sessions of a cell did not end: \(loop)")
        end()
    }

    /// Calls `body` after some turns of the loop.
    func afterTurns(_ count: Int, _ body: @escaping () -> Void) {
        guard count > 0 else { return body() }
        let bound = LoopBound({ self.afterTurns(count - 1, body) }, on: loop)
        loop.execute { bound.value() }
    }
}
