/// The machine's timers by name, in the order in which they are handled when several are due.
///
/// A deadline is kept where it is decided, and nowhere twice. This table is the only list of them: `deadline(of:)` says
/// when a timer is due and `fire(_:now:)` what happens then. Both are exhaustive, so a timer without a deadline or
/// without a handler does not compile. `timers` says which ones run in a state: the others are neither waited for nor
/// fired.
enum ChannelTimer: UInt8, CaseIterable, Sendable {
    /// The delay before the next attempt.
    case attempt
    /// A new socket accepted later than this is a loss, not a hand-over.
    case handOver
    /// The old socket of a rollover is given up.
    case drain
    /// The closing handshake is given up.
    case closing
    /// The channel's life is extended, or the host is told.
    case lifetime
    /// The automatic rollover starts.
    case rollover
    /// Messages held for a failed successor may be delivered.
    case release
    /// The echo of an overlap ends without an answer.
    case echo
    /// The subscription is refreshed.
    case refresh
    /// The candidate is silent; the deadline of its subscription limits that.
    case candidateSilence
    /// A command on the candidate is resent, or fails.
    case candidateCommand
    /// The current link is silent.
    case currentSilence
    /// A command on the current link is resent, or fails.
    case currentCommand
}

/// A set of timers.
struct TimerSet: OptionSet {
    let rawValue: UInt16

    init(rawValue: UInt16) { self.rawValue = rawValue }

    init(_ timer: ChannelTimer) { rawValue = 1 << UInt16(timer.rawValue) }

    static let attempt = TimerSet(.attempt)
    static let handOver = TimerSet(.handOver)
    static let drain = TimerSet(.drain)
    static let closing = TimerSet(.closing)
    static let lifetime = TimerSet(.lifetime)
    static let rollover = TimerSet(.rollover)
    static let release = TimerSet(.release)
    static let echo = TimerSet(.echo)
    static let refresh = TimerSet(.refresh)
    /// Those of the candidate.
    static let candidate: TimerSet = [TimerSet(.candidateSilence), TimerSet(.candidateCommand)]
    /// Those of the current link.
    static let current: TimerSet = [TimerSet(.currentSilence), TimerSet(.currentCommand)]

    /// A pause stops what judges a peer; what the channel itself decides goes on.
    static let duringPause: TimerSet = [.attempt, .handOver, .closing, .lifetime, .rollover]
}

extension ChannelMachine {
    /// The timers that run in the machine's state.
    var timers: TimerSet {
        let timers: TimerSet =
            switch state {
            case .idle, .ended: []
            case .waiting: .attempt
            case .attempting: .candidate
            case .live: [.lifetime, .rollover, .release, .echo, .refresh, .current]
            case .rollingOver: [.lifetime, .release, .candidate, .current]
            case .handedOver: [.handOver, .candidate]
            case .draining: [.drain, .current]
            case .closing: .closing
            }
        return isPaused ? timers.intersection(.duringPause) : timers
    }

    /// The earliest instant at which something is due; nil when nothing is.
    ///
    /// The driver owns one timer and sets it after each pass.
    package var nextDeadline: Instant? {
        var rest = timers.rawValue
        var first: Instant?
        while rest != 0, let timer = ChannelTimer(rawValue: UInt8(truncatingIfNeeded: rest.trailingZeroBitCount)) {
            rest &= rest - 1
            guard let deadline = deadline(of: timer) else { continue }
            first = min(first ?? deadline, deadline)
        }
        return first
    }

    func deadline(of timer: ChannelTimer) -> Instant? {
        switch timer {
        case .attempt, .closing, .drain: state.end
        case .handOver: handOverLimit
        case .lifetime: lifetime.deadline
        case .rollover: maintenance.rolloverDue
        case .release: overlap.releaseDeadline
        case .echo: overlap.echoDeadline
        case .refresh: subscriptions.refreshDue
        case .candidateSilence: candidate.flatMap { $0.openedAt == nil ? nil : $0.heartbeat.deadline }
        case .candidateCommand: candidate?.commandDeadline
        case .currentSilence: current?.heartbeat.deadline
        case .currentCommand: current?.commandDeadline
        }
    }

    /// Does everything that is due at `now`.
    ///
    /// The loop has polled since the deadline (see `DueTimers`), so bytes that arrived in time have been read. Calling
    /// it early does nothing. What becomes due by this is done in the next turn of the loop, after the host has heard
    /// of it: the host may decide otherwise.
    package mutating func deadlineReached(now: ClockReading) -> [Action] {
        noticeSuspension(now: now)
        let due = ChannelTimer.allCases.filter { isDue($0, now: now) }
        for timer in due where isDue(timer, now: now) { fire(timer, now: now) }
        return takeActions()
    }

    private func isDue(_ timer: ChannelTimer, now: ClockReading) -> Bool {
        guard timers.contains(TimerSet(timer)) else { return false }
        // The lifetime also ends by the civil clock, which does not stop while the host is suspended.
        if timer == .lifetime { return lifetime.isDue(now: now) }
        return deadline(of: timer).map { now.instant >= $0 } ?? false
    }

    private mutating func fire(_ timer: ChannelTimer, now: ClockReading) {
        switch timer {
        case .attempt: startAttempt(now: now)
        case .handOver: continueAsAttempt(now: now)
        case .drain: drainTimedOut(now: now)
        case .closing: closingTimedOut()
        case .lifetime: act(on: lifetime.deadlineReached(now: now), now: now)
        case .rollover: startRollover(.maintenance, to: endpoint, now: now)
        case .release: if overlap.releaseDeadlineReached(now: now.instant) { releaseDeferred() }
        case .echo: echoTimedOut(now: now)
        case .refresh: refresh(now: now)
        case .candidateSilence: candidate?.heartbeat.restart(now: now.instant)
        case .candidateCommand: if let candidate { commandsOverdue(on: candidate.id, now: now) }
        case .currentSilence: currentIsSilent(now: now)
        case .currentCommand: if let current { commandsOverdue(on: current.id, now: now) }
        }
    }

    // MARK: - Time that does not count

    /// The least drift between the clocks that means the host was suspended or its clock was set.
    static let suspensionSlack: Duration = .seconds(5)

    /// A suspended host received nothing because it slept: silence counts from its wake-up.
    private mutating func noticeSuspension(now: ClockReading) {
        defer { clocks = now }
        guard let clocks, !isPaused else { return }
        let drift = (now.wall - clocks.wall) - (now.instant - clocks.instant)
        guard drift > ChannelMachine.suspensionSlack else { return }
        current?.hostAwoke(now: now.instant)
        candidate?.hostAwoke(now: now.instant)
    }

    /// The loop was blocked: unread bytes have no known arrival time.
    ///
    /// The driver calls it before it reads them, and `deadlineReached` afterwards.
    package mutating func loopWasLate() {
        current?.evidence.readingStalled()
        candidate?.evidence.readingStalled()
        // The order of a Close frame and of an acceptance that both waited is unknown.
        if let candidate, candidate.openedAt == nil { current?.evidence.missedAcceptance(of: candidate.id) }
    }
}

extension ChannelMachine.State {
    /// When a state with a deadline ends.
    fileprivate var end: Instant? {
        switch self {
        case .waiting(let until), .draining(let until), .closing(let until): until
        case .idle, .attempting, .live, .rollingOver, .handedOver, .ended: nil
        }
    }
}
