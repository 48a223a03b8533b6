import GenesysLoop

/// Repeats an action once for each turn of the loop.
final class Pump: TimerOwner {
    private let timer: Timer
    private let body: (Pump) -> Void

    init(_ loop: UVLoop, body: @escaping (Pump) -> Void) {
        self.body = body
        timer = Timer(loop: loop, group: HandleGroup(loop: loop))
        unsafe timer.owner = self
    }

    deinit { timer.close() }

    func again() { timer.start(at: timer.loop.now.instant) }

    func timerDidFire(_ timer: Timer) { body(self) }
}
