import GenesysLoop
import ToolSupport

/// Writes lines to a descriptor on a thread of its own, so that a slow reader never blocks the loop.
///
/// The queue is bounded by its user: `give` says when it is full, `.drained` when half of it is written.
final class LineWriter: Sendable {
    /// What the thread tells, on itself.
    enum Report: Sendable {
        /// The queue was full and is down to half of its limit.
        case drained
        /// Writing failed; nothing more will be written.
        case failed
    }

    /// How it ended.
    enum Outcome: Equatable, Sendable {
        /// All lines are written.
        case written
        /// The reader is gone.
        case closedPipe
        /// Another error: the value of `errno`.
        case failed(SystemCalls.Failure)
        /// After an interruption, the reader did not take anything for a while.
        case abandoned(byteCount: Int)
    }

    private struct State: Sendable {
        var queue: [UInt8] = []
        /// The queue and what is being written.
        var byteCount = 0
        var isIdle = false
        var isEnding = false
        var isInterrupted = false
        var wantsDrained = false
        var isBroken = false
        var outcome: Outcome?
        var report: (@Sendable (Report) -> Void)?
    }

    /// From this many bytes on the queue is full.
    static let defaultLimit = 4 * 1024 * 1024
    /// The most that one call writes: how fine the queue is seen to drain.
    private static let pieceByteCount = 64 * 1024
    /// How long a reader may take nothing after an interruption.
    private static let patience: Int32 = 2_000

    private let descriptor: Int32
    private let limit: Int
    private let state = Locked(State())
    private let work: Doorbell
    private let news: Doorbell

    init(to descriptor: Int32, limit: Int = LineWriter.defaultLimit) throws(SystemCalls.Failure) {
        self.descriptor = descriptor
        self.limit = limit
        work = try Doorbell()
        news = try Doorbell()
    }

    /// Starts the thread. `report` is called on it, and released by `finish()`.
    func start(_ report: @escaping @Sendable (Report) -> Void) throws(SystemCalls.Failure) {
        state.withLock { $0.report = report }
        try DetachedThread.start { self.run() }
    }

    /// Queues whole lines and empties `lines`.
    ///
    /// - Returns: whether the queue is full now; `.drained` will follow.
    func give(_ lines: inout [UInt8]) -> Bool {
        let (isFull, wasIdle) = state.withLock { state in
            guard !state.isBroken else { return (false, false) }
            state.byteCount += lines.count
            if state.queue.isEmpty {
                swap(&state.queue, &lines)
            } else {
                state.queue += lines
            }
            let wasIdle = state.isIdle
            state.isIdle = false
            if state.byteCount >= limit { state.wantsDrained = true }
            return (state.wantsDrained, wasIdle)
        }
        lines.removeAll(keepingCapacity: lines.capacity <= 1_048_576)
        if wasIdle { work.ring() }
        return isFull
    }

    /// Waits until everything is written, or cannot be. Nothing is reported afterwards.
    func finish() -> Outcome {
        state.withLock { $0.isEnding = true }
        work.ring()
        let outcome = waitForOutcome()
        // Released here and not by the thread, which may still be about to end.
        let report = state.withLock { state in
            defer { state.report = nil }
            return state.report
        }
        withExtendedLifetime(report) {}
        return outcome
    }

    private func waitForOutcome() -> Outcome {
        var before = -1
        while true {
            let (outcome, isInterrupted, byteCount) = state.withLock { ($0.outcome, $0.isInterrupted, $0.byteCount) }
            if let outcome { return outcome }
            if isInterrupted, byteCount == before { return .abandoned(byteCount: byteCount) }
            // The first look after the interruption only takes the measure.
            if !news.wait(milliseconds: isInterrupted ? LineWriter.patience : -1) { before = byteCount }
        }
    }

    /// Makes `finish()` give up on a reader that takes nothing. Any thread.
    func interrupt() {
        state.withLock { $0.isInterrupted = true }
        news.ring()
    }

    // MARK: - On the thread

    private func run() {
        var outcome = Outcome.written
        do throws(SystemCalls.Failure) {
            while let lines = next() { try write(lines) }
        } catch {
            outcome = error.isClosedPipe ? .closedPipe : .failed(error)
            state.withLock { state in
                state.isBroken = true
                state.queue = []
            }
            tell(.failed)
        }
        state.withLock { $0.outcome = outcome }
        news.ring()
    }

    private func tell(_ report: Report) {
        let listener = state.withLock { $0.report }
        listener?(report)
    }

    /// What is to be written next; nil at the end.
    private func next() -> [UInt8]? {
        while true {
            let (lines, isEnding) = state.withLock { state -> ([UInt8]?, Bool) in
                guard state.queue.isEmpty else {
                    var lines: [UInt8] = []
                    swap(&lines, &state.queue)
                    return (lines, false)
                }
                state.isIdle = true
                return (nil, state.isEnding)
            }
            if let lines { return lines }
            if isEnding { return nil }
            _ = work.wait()
        }
    }

    private func write(_ lines: [UInt8]) throws(SystemCalls.Failure) {
        var rest = lines[...]
        while !rest.isEmpty {
            let count = try SystemCalls.write(rest.prefix(LineWriter.pieceByteCount), to: descriptor)
            rest = rest.dropFirst(count)
            let isDrained = state.withLock { state in
                state.byteCount -= count
                guard state.wantsDrained, state.byteCount <= limit / 2 else { return false }
                state.wantsDrained = false
                return true
            }
            if isDrained { tell(.drained) }
        }
    }
}
