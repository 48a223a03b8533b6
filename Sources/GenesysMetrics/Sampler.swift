internal import CoreMetrics
internal import GenesysLoop

/// Reads a source in regular intervals and passes what it reads to swift-metrics.
///
/// Its timer does not keep the loop running. A last sample is taken when it is stopped, and when nothing is open on the
/// loop any longer.
final class Sampler<Source>: TimerOwner, LoopCompanion {
    /// The shortest interval.
    private static var minInterval: Duration { .milliseconds(100) }

    private let loop: UVLoop
    private let interval: Duration
    private let read: () -> (source: Source, isLast: Bool)
    private var instruments: Instruments<Source>
    /// Nil when it is stopped.
    private var timer: GenesysLoop.Timer?
    private var isSampling = false

    /// - Parameter read: `isLast` stops the sampler.
    init(
        on loop: UVLoop, every interval: Duration, _ instruments: Instruments<Source>,
        read: @escaping () -> (source: Source, isLast: Bool)
    ) {
        self.loop = loop
        self.interval = max(interval, Sampler.minInterval)
        self.instruments = instruments
        self.read = read
        timer = GenesysLoop.Timer(loop: loop, group: HandleGroup(loop: loop), owner: self, keepsRunning: false)
        loop.accompany(self)
        schedule()
    }

    deinit {
        guard timer != nil else { return }
        loop.preconditionCurrent("The end of a ChannelMetrics or LoopMetrics that was not stopped")
        end()
    }

    /// Takes a last sample and ends.
    func stop() {
        guard timer != nil else { return }
        sample()
        end()
    }

    private func end() {
        timer?.close()
        timer = nil
        loop.leave(self)
    }

    private func schedule() {
        timer?.start(at: loop.now.instant + interval)
    }

    /// A call by a handler of swift-metrics, from within another one, does nothing.
    private func sample() {
        guard !isSampling else { return }
        isSampling = true
        let (source, isLast) = read()
        instruments.emit(source)
        isSampling = false
        if isLast { end() }
    }

    func timerDidFire(_ timer: GenesysLoop.Timer) {
        sample()
        schedule()
    }

    func loopIsIdle(isEnd: Bool) {
        sample()
        if isEnd { end() }
    }
}
