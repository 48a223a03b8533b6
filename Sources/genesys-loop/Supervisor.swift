import GenesysLoop
import Logging
import ToolSupport

/// Reports what the tool does to the service manager that started it, systemd for example: sd_notify(3).
///
/// Nothing waits for the manager, and its timer does not keep the loop running. After a message that could not be sent
/// the state of that moment follows as soon as possible; states in between may be skipped. All of it runs on the loop's
/// thread.
final class Supervisor {
    private enum Phase {
        case starting
        case ready
        /// Files are being opened and read again, since this time of the monotonic clock, in microseconds.
        case reloading(since: Int64)
        case stopping
    }

    /// How much more time the start gets with each message about it.
    private static let extensionTime: Duration = .seconds(30)
    private static let extensionInterval: Duration = .seconds(10)
    /// When a socket that is full, or that fails, is tried again.
    private static let fullInterval: Duration = .milliseconds(200)
    private static let failureInterval: Duration = .seconds(10)
    /// The manager reads 4,096 bytes of a message.
    private static let maxStatusLength = 500

    private let loop: UVLoop
    private let socket: NotifySocket
    private let logger: Logger
    private let timer: Timer
    /// Half of the time after which the manager takes a silent service for dead; nil if it does not watch it.
    private let watchdogInterval: Duration?
    private var phase = Phase.starting
    private var status = "starting"
    /// When to send the state again, because the last message was not sent; nil if it was.
    private var retry: Duration?
    private var hasLogged = false

    /// Nil if no manager asked to be told, or if its socket cannot be used, which is logged.
    init?(_ environment: Request, on loop: UVLoop, logger: Logger) {
        guard let name = environment.socket else { return nil }
        do throws(SystemCalls.Failure) {
            socket = try NotifySocket(to: name)
        } catch {
            logger.debug("The service manager is told nothing, because NOTIFY_SOCKET cannot be used: \(error)")
            return nil
        }
        self.loop = loop
        self.logger = logger
        watchdogInterval = environment.watchdog.map { $0 / 2 }
        timer = Timer(loop: loop, group: HandleGroup(loop: loop), keepsRunning: false)
        // The timer is closed with this object, at the latest.
        unsafe timer.owner = self
    }

    // MARK: - What the tool does

    /// The channel does something else.
    func channelDidChange(to state: ChannelState, of channel: any SourceChannel) {
        let count = channel.topics.count
        let subscribed = "subscribed to \(count) \(count == 1 ? "topic" : "topics")"
        switch state {
        case .subscribed: statusDidChange(to: subscribed)
        case .rollingOver: statusDidChange(to: "\(subscribed), moving to a new connection")
        case .idle, .connecting, .recovering, .closing, .ended: statusDidChange(to: state.rawValue)
        }
    }

    /// The channel connects again.
    func channelWillReconnect(_ attempt: ReconnectAttempt, _ channel: any SourceChannel) {
        statusDidChange(to: "\(channel.state.rawValue): \(attempt)")
    }

    private func statusDidChange(to text: String) {
        if case .stopping = phase { return }
        guard text != status else { return }
        status = text
        send(assignments)
    }

    /// The first subscription is confirmed.
    func isReady() {
        guard case .starting = phase else { return }
        phase = .ready
        send(assignments)
    }

    /// Files are opened and read again. While the tool starts the manager is not told: it would take the end of it for
    /// the end of the start.
    func reloadDidStart() {
        guard case .ready = phase else { return }
        phase = .reloading(since: SystemCalls.monotonicMicroseconds())
        send(assignments)
    }

    func reloadDidEnd() {
        guard case .reloading = phase else { return }
        phase = .ready
        send(assignments)
    }

    /// The tool is ending.
    func isStopping(_ text: String) {
        phase = .stopping
        status = text
        send(assignments)
    }

    /// Nothing more is sent.
    func end() { timer.close() }

    // MARK: - Messages

    private var isStarting: Bool {
        if case .starting = phase { true } else { false }
    }

    /// The current state.
    private var assignments: [String] {
        let status = ["STATUS=\(EventLog.printable(status).prefix(Supervisor.maxStatusLength))"]
        switch phase {
        case .starting: return status
        case .ready: return ["READY=1"] + status
        case .reloading(let time): return ["RELOADING=1", "MONOTONIC_USEC=\(time)"] + status
        case .stopping: return ["STOPPING=1"] + status
        }
    }

    /// What must be said again and again.
    private var signsOfLife: [String] {
        var lines = watchdogInterval == nil ? [] : ["WATCHDOG=1"]
        if isStarting { lines.append("EXTEND_TIMEOUT_USEC=\(Supervisor.extensionTime.wholeNanoseconds / 1_000)") }
        return lines
    }

    private func send(_ lines: [String]) {
        switch socket.send((lines + signsOfLife).joined(separator: "\n")) {
        case .sent:
            retry = nil
        case .full:
            complain("its socket is full")
            retry = Supervisor.fullInterval
        case .failed(let failure):
            complain("\(failure)")
            retry = Supervisor.failureInterval
        }
        let intervals = [watchdogInterval, isStarting ? Supervisor.extensionInterval : nil, retry].compactMap { $0 }
        guard let interval = intervals.min() else { return timer.stop() }
        timer.start(at: loop.now.instant + interval)
    }

    private func complain(_ reason: String) {
        guard !hasLogged else { return }
        hasLogged = true
        logger.debug("The service manager cannot be told the state, and is told later: \(reason)")
    }
}

extension Supervisor: TimerOwner {
    func timerDidFire(_ timer: Timer) {
        send(retry == nil ? [] : assignments)
    }
}

extension Supervisor {
    /// What a service manager asks for, in the environment.
    struct Request: Equatable {
        /// `NOTIFY_SOCKET`.
        var socket: String?
        /// `WATCHDOG_USEC`, unless it is meant for another process.
        var watchdog: Duration?

        /// - Parameters:
        ///   - value: the value of a variable; nil if it is unset.
        ///   - process: the identifier of this process.
        init(
            process: Int32 = SystemCalls.processIdentifier, socket: String?, watchdog: String?, watchdogProcess: String?
        ) {
            self.socket = socket
            guard watchdogProcess == nil || watchdogProcess == "\(process)", let watchdog,
                let microseconds = Int64(watchdog), microseconds > 0
            else { return }
            self.watchdog = .microseconds(microseconds)
        }

        /// The one of the environment.
        static var current: Request {
            Request(
                socket: Environment.value(of: "NOTIFY_SOCKET"), watchdog: Environment.value(of: "WATCHDOG_USEC"),
                watchdogProcess: Environment.value(of: "WATCHDOG_PID"))
        }
    }
}
