internal import GenesysLoop

/// What the driver of a machine has to do, and the timer of the machine's deadline.
struct DriverWork<Action> {
    var pending = Fifo<Action>()
    /// Whether the actions are being performed.
    var isPerforming = false
    var timer: Timer?

    /// The machine is at its end: nothing more is to be done.
    mutating func end() {
        pending.removeAll()
        timer?.close()
        timer = nil
    }
}

/// Performs the actions of a machine: what a channel and a group of channels have in common.
///
/// A call of the host touches only the machine and the work. Everything else is done from the loop, one action after
/// the other: an action may call the host, and the host may decide on more, which waits behind.
protocol MachineDriver: LoopTask, LoopCloseable, TimerOwner {
    associatedtype Machine
    associatedtype Action

    var platform: Platform { get }
    var machine: Machine { get set }
    var work: DriverWork<Action> { get set }
    var nextDeadline: Instant? { get }
    /// Whether the loop retains the driver: from `open()` to the terminal call.
    var isOpen: Bool { get }

    func close()
    func deadlineReached(now: ClockReading) -> [Action]
    func perform(_ action: Action)
    /// Reports a changed state before what follows from it.
    func announceState()
    /// All actions are performed.
    func didPerform()
}

extension MachineDriver {
    /// Something happened on the loop: what follows from it is performed before the return.
    func input(_ body: (inout Machine, ClockReading) -> [Action]) {
        let actions = body(&machine, platform.loop.now)
        work.pending.append(contentsOf: actions)
        performPending()
    }

    /// Queues actions of a call of the host, which are performed from the loop.
    ///
    /// Without actions the state and the deadline of an open machine may have changed.
    func submit(_ actions: [Action]) {
        guard !actions.isEmpty || isOpen else { return }
        let isScheduled = work.isPerforming || !work.pending.isEmpty
        work.pending.append(contentsOf: actions)
        if !isScheduled { platform.loop.schedule(self) }
    }

    func performPending() {
        guard !work.isPerforming else { return }
        work.isPerforming = true
        announceState()
        while let action = work.pending.popFirst() {
            perform(action)
            announceState()
        }
        work.isPerforming = false
        setTimer()
        didPerform()
    }

    /// The loop retains the driver, which keeps it running; the timer does not.
    private func setTimer() {
        guard let deadline = nextDeadline else {
            work.timer?.close()
            work.timer = nil
            return
        }
        if work.timer == nil {
            work.timer = Timer(
                loop: platform.loop, group: platform.engine.group, owner: self, keepsRunning: false)
        }
        work.timer?.start(at: deadline)
    }

    package func runTask() { performPending() }

    package func closeByLoop() { close() }

    package func timerDidFire(_ timer: Timer) {
        let actions = deadlineReached(now: platform.loop.now)
        work.pending.append(contentsOf: actions)
        performPending()
    }
}
