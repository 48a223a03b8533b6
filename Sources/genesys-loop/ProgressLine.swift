import GenesysLoop
import ToolSupport

/// The status line of `listen` on a terminal, drawn four times a second.
final class ProgressLine: TimerOwner {
    private let loop: UVLoop
    private let timer: Timer
    private let statistics: () -> ChannelStatistics?
    private var text = ProgressText()
    private var event: (name: String, time: Instant)?

    private static let interval: Duration = .milliseconds(250)

    /// Whether there is one.
    ///
    /// By default there is none where notifications appear on a terminal.
    ///
    /// - Parameters:
    ///   - option: the value of `--progress` or `--no-progress`.
    ///   - hasFile: whether the notifications go to the file of `--output`.
    static func isWanted(_ option: Bool?, hasFile: Bool) -> Bool {
        guard SystemCalls.isTerminal(SystemCalls.standardError), !EventLog.Style.isDumbTerminal else { return false }
        return option ?? (hasFile || !SystemCalls.isTerminal(SystemCalls.standardOutput))
    }

    /// Begins to draw. `end()` must be called before this is released.
    ///
    /// - Parameter statistics: those of the channel; nil when it has ended.
    init(on loop: UVLoop, _ statistics: @escaping () -> ChannelStatistics?) {
        self.loop = loop
        self.statistics = statistics
        timer = Timer(loop: loop, group: HandleGroup(loop: loop), keepsRunning: false)
        // `end()` closes the timer before this object is deallocated.
        unsafe timer.owner = self
        draw()
    }

    /// An event was reported.
    func note(_ event: LifecycleEvent) {
        self.event = (event.name, loop.now.instant)
    }

    func timerDidFire(_ timer: Timer) {
        draw()
    }

    /// Removes the line.
    func end() {
        timer.close()
        StandardError.show(nil)
    }

    private func draw() {
        guard let statistics = statistics() else { return }
        let now = loop.now.instant
        let sample = ProgressText.Sample(
            count: statistics.receivedCount, gapCount: statistics.gapCount, silence: statistics.silence,
            event: event.map { ($0.name, now - $0.time) })
        StandardError.show(text.text(sample, at: now))
        timer.start(at: now + ProgressLine.interval)
    }
}
