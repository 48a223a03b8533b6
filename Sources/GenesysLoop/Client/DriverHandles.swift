/// The uv handles of a channel or a client: one timer of its own, and a count that includes the handles of its links.
struct DriverHandles {
    let group: HandleGroup
    private let loop: UVLoop
    private(set) var timer: Timer?
    /// When the timer fires; nil while it is stopped.
    private var armedFor: Instant?

    init(loop: UVLoop) {
        self.loop = loop
        group = HandleGroup(loop: loop)
    }

    /// Arms the timer, or stops it if there is no deadline.
    ///
    /// It may fire before the deadline: every read moves the deadline of the silence, and a timer that fires too early
    /// is cheaper than one that is armed each time.
    mutating func setTimer(at deadline: Instant?, owner: any TimerOwner) {
        guard let deadline else {
            armedFor = nil
            timer?.stop()
            return
        }
        if let armedFor, armedFor <= deadline { return }
        if timer == nil { timer = Timer(loop: loop, group: group, owner: owner) }
        armedFor = deadline
        timer?.start(at: deadline)
    }

    /// The timer fired and is stopped.
    mutating func timerDidFire() {
        armedFor = nil
    }

    /// Closes the timer.
    ///
    /// - Returns: whether no handle is left; if false, `task` runs when none is left.
    mutating func close(then task: any LoopTask) -> Bool {
        timer?.close()
        timer = nil
        armedFor = nil
        guard group.openCount > 0 else { return true }
        group.whenEmpty(task)
        return false
    }
}
