import GenesysLoop
import GenesysSimulator

/// Plays a script on a server with one timer, set to the next step.
final class ScriptPlayer {
    private let script: SimulatorScript
    private let server: SimulatorServer
    private var timer: LoopTimer?
    private var isStopped = false
    /// When the current round began.
    private var began = SuspendingClock.now
    private var next = 0

    init(_ script: SimulatorScript, on server: SimulatorServer) {
        self.script = script
        self.server = server
    }

    /// Begins; a player that was already stopped does nothing.
    func start() {
        began = .now
        arm()
    }

    func stop() {
        isStopped = true
        timer?.cancel()
        timer = nil
    }

    private func duration(_ seconds: Double) -> Duration {
        .seconds(seconds / server.configuration.timeScale)
    }

    private func arm() {
        guard !isStopped else { return }
        if next == script.steps.count {
            guard let interval = script.repeatsAfter, !script.steps.isEmpty else { return }
            began += duration(interval)
            next = 0
        }
        let due = began + duration(script.steps[next].at)
        timer = server.loop.schedule(after: due - .now) { self.playDueSteps() }
    }

    private func playDueSteps() {
        let now = SuspendingClock.now
        while next < script.steps.count, began + duration(script.steps[next].at) <= now {
            let action = script.steps[next].action
            next += 1
            guard play(action) else { return }
        }
        arm()
    }

    /// Returns false after the last step.
    private func play(_ action: ScriptAction) -> Bool {
        switch action {
        case .maintenance(let lead, let notices):
            server.configuration.endings.maintenanceLead = .seconds(lead)
            server.configuration.endings.maintenanceNoticeCount = notices
            server.announceMaintenance()
        case .disconnect(let ending): server.disconnect(.all, ending)
        case .expire: server.expireChannel(.all)
        case .evict: server.evict(.all)
        case .revokeToken: server.revokeToken()
        case .expireTokens: server.expireTokens()
        case .otherProcess(let count): server.startOtherProcess(channelCount: count)
        case .rest(let fault): server.install(fault)
        case .announce(let notice): server.announce(notice)
        case .publish(let topic, let body): server.publish(eventBody: body, to: topic)
        case .send(let text, let isBinary): server.inject(Array(text.utf8), asBinary: isBinary)
        case .configure(let change): change(&server.configuration)
        case .stop:
            stop()
            server.close()
            return false
        }
        return true
    }
}
