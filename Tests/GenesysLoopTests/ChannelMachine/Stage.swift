import Testing

@testable import GenesysLoop

extension LinkID {
    static let first = LinkID(rawValue: 1)
    static let second = LinkID(rawValue: 2)
    static let third = LinkID(rawValue: 3)
    static let fourth = LinkID(rawValue: 4)
    static let stranger = LinkID(rawValue: 99)
}

extension EndpointID {
    static let original = EndpointID(rawValue: 0)
    static let other = EndpointID(rawValue: 1)
    static let another = EndpointID(rawValue: 2)
}

extension LinkEnd {
    static let reset = LinkEnd(failure: ChannelFailure(reason: .connectionClosed, phase: .open))
    static let refused = LinkEnd(failure: ChannelFailure(reason: .connect, phase: .connect))

    static func closed(_ code: UInt16) -> LinkEnd {
        LinkEnd(failure: ChannelFailure(reason: .connectionClosed, phase: .open), closeCode: code)
    }

    static func status(_ status: Int, retryAfter: Duration? = nil) -> LinkEnd {
        let reason: FailureReason =
            switch status {
            case 401: .httpUnauthorized
            case 403: .httpForbidden
            case 404: .httpNotFound
            case 429: .httpTooManyRequests
            default: .invalidStatusCode
            }
        return LinkEnd(
            failure: ChannelFailure(reason: reason, phase: .upgrade, status: status, retryAfter: retryAfter))
    }

    static func failure(_ reason: FailureReason, _ phase: ChannelFailure.Phase) -> LinkEnd {
        LinkEnd(failure: ChannelFailure(reason: reason, phase: phase))
    }
}

extension ClockReading {
    /// This many seconds after the start of a test.
    static func at(_ seconds: Double) -> ClockReading {
        ClockReading(instant: Instant(nanoseconds: 0), wall: WallTime(seconds: 1_700_000_000)) + .seconds(seconds)
    }
}

extension Instant {
    /// This many seconds after the start of a test.
    static func at(_ seconds: Double) -> Instant { ClockReading.at(seconds).instant }
}

/// A machine, a clock and a driver's books: all inputs of a test pass through here.
struct Stage {
    typealias Action = ChannelMachine.Action

    var machine: ChannelMachine
    var now = ClockReading(instant: Instant(nanoseconds: 1_000_000_000_000), wall: WallTime(seconds: 1_700_000_000))
    var ledger = LinkLedger()
    /// All actions so far.
    var log: [Action] = []

    init(
        topics: [Topic] = ["v2.a", "v2.b"], seed: UInt64 = 7, _ configure: (inout ChannelSettings) -> Void = { _ in }
    ) {
        var settings = ChannelSettings()
        configure(&settings)
        machine = ChannelMachine(topics: topics, settings: settings, seed: seed)
    }

    /// Performs and records the machine's actions.
    @discardableResult
    mutating func take(_ actions: [Action]) -> [Action] {
        ledger.perform(actions)
        log += actions
        return actions
    }

    // MARK: - Inputs

    @discardableResult
    mutating func open() -> [Action] { take(machine.openRequested(now: now)) }

    @discardableResult
    mutating func close() -> [Action] {
        ledger.isClosed = true
        return take(machine.closeRequested(now: now))
    }

    @discardableResult
    mutating func rollover(to endpoint: EndpointID) -> [Action] {
        take(machine.rolloverRequested(to: endpoint, now: now))
    }

    @discardableResult
    mutating func pause() -> [Action] { take(machine.pauseRequested(now: now)) }

    @discardableResult
    mutating func resume() -> [Action] { take(machine.resumeRequested(now: now)) }

    @discardableResult
    mutating func setTopics(_ topics: [Topic]) -> [Action] { take(machine.topicsChanged(to: topics, now: now)) }

    @discardableResult
    mutating func opened(_ link: LinkID) -> [Action] { take(machine.linkOpened(link, now: now)) }

    @discardableResult
    mutating func ended(_ link: LinkID, _ end: LinkEnd) -> [Action] {
        ledger.ended(link)
        return take(machine.linkEnded(link, end, now: now))
    }

    mutating func heard(_ link: LinkID) { machine.bytesReceived(on: link, now: now) }

    /// The oldest ping on `link` is answered.
    mutating func pong(_ link: LinkID) {
        heard(link)
        machine.pongReceived(on: link, now: now)
    }

    mutating func message(_ link: LinkID, _ fingerprint: UInt64) -> ChannelMachine.Verdict {
        machine.notificationReceived(on: link, fingerprint: fingerprint, byteCount: 100)
    }

    mutating func released(_ link: LinkID, _ fingerprint: UInt64) -> ChannelMachine.Verdict {
        machine.heldNotificationReleased(from: link, fingerprint: fingerprint)
    }

    @discardableResult
    mutating func reply(_ reply: CommandReply, on link: LinkID) -> [Action] {
        take(machine.replyReceived(reply, on: link, now: now))
    }

    /// Answers the oldest command on `link`.
    @discardableResult
    mutating func accept(_ link: LinkID) -> [Action] {
        guard let id = machine.record(link)?.pending.first?.correlationID else { return [] }
        heard(link)
        return reply(CommandReply(correlationID: id, status: 200, statusText: "subscribed"), on: link)
    }

    @discardableResult
    mutating func refuse(_ link: LinkID, _ status: Int = 400, _ message: String? = nil) -> [Action] {
        guard let id = machine.record(link)?.pending.first?.correlationID else { return [] }
        heard(link)
        return reply(
            CommandReply(correlationID: id, status: status, statusText: "failure", message: message), on: link)
    }

    @discardableResult
    mutating func socketClosing(_ link: LinkID) -> [Action] {
        heard(link)
        return take(machine.socketClosingReceived(on: link, now: now))
    }

    @discardableResult
    mutating func system(_ topic: SystemTopic, _ link: LinkID, _ message: String? = nil) -> [Action] {
        heard(link)
        return take(machine.systemMessageReceived(topic, on: link, message: message, now: now))
    }

    // MARK: - Time

    /// The clocks advance while the loop is blocked.
    mutating func block(_ duration: Duration) { now = now + duration }

    /// A timer fires, late or on time. The loop polls next: the test reads waiting bytes and calls `fireTimers`.
    mutating func noticeLateness() {
        guard let deadline = machine.nextDeadline, now.instant - deadline >= .seconds(1) else { return }
        machine.loopWasLate()
    }

    /// The loop's timers run, late or on time, until nothing more is due.
    @discardableResult
    mutating func fireTimers() -> [Action] {
        noticeLateness()
        var actions: [Action] = []
        for _ in 0..<4 {
            actions += take(machine.deadlineReached(now: now))
            guard let next = machine.nextDeadline, next <= now.instant else { return actions }
        }
        Issue.record("the timer spins in \(machine.state)")
        return actions
    }

    /// Time passes, and every deadline is served when it is due.
    ///
    /// The test itself sends what the service sends.
    @discardableResult
    mutating func wait(_ duration: Duration) -> [Action] {
        let end = now + duration
        var actions: [Action] = []
        while let deadline = machine.nextDeadline, deadline <= end.instant {
            let step = max(.zero, deadline - now.instant)
            now = now + step
            actions += fireTimers()
            guard let next = machine.nextDeadline, next > now.instant else { break }
        }
        now = end
        return actions
    }

    /// Time passes on a link that receives heartbeats.
    @discardableResult
    mutating func live(_ duration: Duration) -> [Action] {
        let end = now.instant + duration
        var actions: [Action] = []
        while now.instant < end {
            actions += wait(min(.seconds(30), end - now.instant))
            if let link = machine.current?.id { heard(link) }
            if let link = machine.candidate?.id { heard(link) }
        }
        return actions
    }

    func check(_ location: SourceLocation = #_sourceLocation) { ledger.check(location) }
}
