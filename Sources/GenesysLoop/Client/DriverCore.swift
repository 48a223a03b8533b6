internal import Logging

/// What every driver owns: links, handles, pending actions.
struct DriverCore<Action> {
    /// What performs the pending actions.
    enum Activity {
        /// Nothing yet.
        case idle
        /// A scheduled task of the loop.
        case scheduled
        /// The end of the read that is being delivered.
        case receiving
        /// The advance that is running.
        case advancing
    }

    var activity = Activity.idle
    /// Performed only in a pass, never during a callout.
    var pending = ActionQueue<Action>()
    /// All links that have not released their sockets, including those that close in the background.
    var links: [Link] = []
    var handles: DriverHandles
    var delegateWatch: DelegateWatch

    init(loop: UVLoop, hasDelegate: Bool) {
        handles = DriverHandles(loop: loop)
        delegateWatch = DelegateWatch(isSet: hasDelegate)
    }
}

/// Performs the actions of a machine: what a channel and a client have in common.
///
/// Public calls touch only the machine, the queue of pending actions and, for sends, a link's outbox. Links, timer and
/// delegate are touched here, from the loop, one action after the other.
protocol Driver: LinkOwner, LoopTask, TimerOwner, LoopCloseable {
    associatedtype Action

    var loop: UVLoop { get }
    var logger: Logger { get }
    /// For the log.
    var redactedURI: String { get }
    var core: DriverCore<Action> { get set }
    /// Changes with everything that makes the receive loop check its conditions again.
    var generation: Int { get set }

    func close()
    func perform(_ action: Action)
    /// Pauses or resumes links as the machine wants. Returns whether there is more to do.
    func adjustReading() -> Bool
    /// All actions are performed, and all output is on its way.
    func didAdvance()
    /// The machine's own deadline.
    var nextDeadline: Instant? { get }
    /// The loop has polled since the timer fired.
    func deadlineReached(now: ClockReading) -> [Action]
    /// The machine is at its end: when nothing is open, only the terminal call is missing.
    var isFinishing: Bool { get }
    /// The last handle is closed. Afterwards `isFinishing` is false.
    func makeTerminalCall()
}

/// For a machine without deadlines of its own, and a driver that only performs actions.
extension Driver {
    func didAdvance() {}
    var nextDeadline: Instant? { nil }
    func deadlineReached(now: ClockReading) -> [Action] { [] }
}

extension Driver {
    // MARK: - Actions

    /// Queues actions that are performed from the loop.
    func submit(_ actions: [Action]) {
        if enqueue(actions) { schedule() }
    }

    @discardableResult
    func enqueue(_ actions: [Action]) -> Bool {
        guard !actions.isEmpty else { return false }
        core.pending.append(actions)
        generation &+= 1
        return true
    }

    /// Schedules an advance, unless one follows anyway.
    func schedule() {
        guard core.activity == .idle else { return }
        core.activity = .scheduled
        loop.schedule(self)
    }

    package func runTask() {
        if core.activity == .scheduled { core.activity = .idle }
        advance()
    }

    package func closeByLoop() {
        close()
    }

    /// Performs all pending actions, sends what is queued, resumes links and sets the timer.
    ///
    /// Inside another call of it, or of `performPending`, it leaves the work to that call.
    func advance() {
        guard core.activity != .advancing, !core.pending.isBusy else { return }
        core.activity = .advancing
        var hasMore = false
        repeat {
            performPending()
            hasMore = adjustReading()
            for link in core.links {
                link.flush()
                link.reportEndIfDue()
            }
        } while hasMore || !core.pending.isEmpty
        core.activity = .idle
        didAdvance()
        setTimer()
        endIfDone()
    }

    func performPending() {
        guard core.pending.begin() else { return }
        while let action = core.pending.pop() { perform(action) }
    }

    /// A read is being delivered: what the host requests meanwhile is performed at its end, by `endReceiving`.
    func beginReceiving() {
        if core.activity != .advancing { core.activity = .receiving }
    }

    func endReceiving() {
        if core.activity == .receiving { core.activity = .idle }
        advance()
    }

    // MARK: - Time

    package func timerDidFire(_ timer: Timer) {
        core.handles.timerDidFire()
        let now = loop.now
        for link in core.links {
            link.deadlineReached(now: now.instant)
            link.reportEndIfDue()
        }
        enqueue(deadlineReached(now: now))
        advance()
    }

    func linkDidChangeDeadline(_ link: Link) {
        // An advance in progress sets the timer at its end.
        if core.activity != .advancing { setTimer() }
    }

    private func setTimer() {
        guard !isFinishing || !core.links.isEmpty else { return }
        var deadline = nextDeadline
        for link in core.links {
            guard let own = link.deadline else { continue }
            deadline = min(deadline ?? own, own)
        }
        core.handles.setTimer(at: deadline, owner: self)
    }

    // MARK: - Life

    /// The loop keeps the driver alive until the terminal call.
    func retainUntilEnd() {
        loop.forgotten.opened(self)
        loop.retain(self)
    }

    private func endIfDone() {
        guard isFinishing, core.links.isEmpty, core.handles.close(then: self) else { return }
        makeTerminalCall()
    }

    // MARK: - The delegate

    /// The host set the delegate.
    func delegateDidChange(isSet: Bool) {
        core.delegateWatch.changed(isSet: isSet)
        generation &+= 1
    }

    /// There is no delegate for a delivery: closes the driver.
    func closeWithoutDelegate() {
        noteMissingDelegate("is closed")
        close()
    }

    func noteMissingDelegate(_ consequence: String) {
        guard let why = core.delegateWatch.missed() else { return }
        loop.forgotten.lackedDelegate()
        logger.warning("\(redactedURI) \(consequence): \(why)")
    }
}
