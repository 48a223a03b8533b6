import GenesysLoop
import GenesysSimulator

/// Plays a script on a server with one timer, set to the next step.
final class ScriptPlayer: TimerOwner {
    private let script: SimulatorScript
    private let server: SimulatorServer
    private let timer: Timer
    /// When the current round began.
    private var began: Instant
    private var next = 0

    init(_ script: SimulatorScript, on server: SimulatorServer) {
        self.script = script
        self.server = server
        timer = Timer(loop: server.loop, group: HandleGroup(loop: server.loop))
        began = server.loop.now.instant
    }

    /// Begins; a player that was already stopped does nothing.
    func start() {
        // The player owns the timer, which is closed in `stop` or with the player.
        unsafe timer.owner = self
        began = server.loop.now.instant
        arm()
    }

    deinit { timer.close() }

    func stop() { timer.close() }

    private func duration(_ seconds: Double) -> Duration {
        .seconds(seconds / server.configuration.timeScale)
    }

    private func arm() {
        if next == script.steps.count {
            guard let interval = script.repeatsAfter, !script.steps.isEmpty else { return timer.close() }
            began = began + duration(interval)
            next = 0
        }
        timer.start(at: began + duration(script.steps[next].at))
    }

    func timerDidFire(_ timer: Timer) {
        let now = server.loop.now.instant
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
