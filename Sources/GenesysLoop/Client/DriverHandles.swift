/// The uv handles of a channel or a client: one timer of its own, and the count of them all, its links' among them.
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

    /// Arms the timer, or stops it where there is no deadline.
    ///
    /// It may fire before the deadline: silence is counted anew with every read, and a timer that fires too early is
    /// cheaper than one armed each time.
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

    /// The timer fired: it is stopped.
    mutating func timerDidFire() {
        armedFor = nil
    }

    /// Closes the timer.
    ///
    /// - Returns: whether no handle is left; otherwise `pass` runs when that is so.
    mutating func close(then task: any LoopTask) -> Bool {
        timer?.close()
        timer = nil
        armedFor = nil
        guard group.openCount > 0 else { return true }
        group.whenEmpty(task)
        return false
    }
}
