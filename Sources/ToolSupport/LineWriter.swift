import GenesysLoop

/// Writes lines to a descriptor or a file on a thread of its own, so that a slow reader never blocks the loop.
///
/// The queue is bounded. `give` reports when it is full, and `.drained` follows when half of it is written. `offer`
/// drops a line that does not fit and queues a notice for the reader.
///
/// What it writes ends on a whole line, also when writing fails in the middle of one: a regular file is then cut back.
/// What went into a pipe cannot be taken back.
package final class LineWriter: Sendable {
    /// The line that reports how many lines were dropped.
    package typealias Notice = @Sendable (_ count: Int) -> [UInt8]

    private struct State: Sendable {
        var queue: [UInt8] = []
        /// The bytes in the queue and in the current write.
        var byteCount = 0
        var dropped: (count: Int, notice: Notice)?
        /// All lines that were dropped.
        var droppedLineCount = 0
        var isIdle = false
        var isEnding = false
        /// The file is a FIFO without a reader so far.
        var waitsForReader = false
        var wantsReopening = false
        /// When the last line was queued; nil while more may come.
        var ending: ContinuousClock.Instant?
        var interruption: ContinuousClock.Instant?
        /// When bytes were last written, or entered the empty queue.
        var progress = ContinuousClock.now
        var wantsDrained = false
        var isBroken = false
        var outcome: Outcome?
        var status = StatusLine()
        var report: (@Sendable (Report) -> Void)?

        /// Queues bytes; returns whether the thread must be woken up.
        mutating func append(_ bytes: inout [UInt8]) -> Bool {
            if byteCount == 0 { progress = .now }
            byteCount += bytes.count
            if queue.isEmpty { swap(&queue, &bytes) } else { queue += bytes }
            defer { isIdle = false }
            return isIdle
        }

        /// Queues the notice about dropped lines.
        mutating func appendNotice() -> Bool {
            guard let (count, notice) = dropped else { return false }
            dropped = nil
            var line = notice(count)
            return append(&line)
        }
    }

    /// The number of bytes at which the queue is full.
    package static let defaultLimit = 4 * 1024 * 1024
    /// The most bytes of one write: progress is measured in these steps.
    private static let pieceByteCount = 64 * 1024
    /// Room that `offer` leaves for a notice and for lines that must not be dropped.
    private static let reserve = 16 * 1024
    /// How long a reader may take nothing after an interruption.
    private static let patience: Duration = .seconds(2)
    /// How long `finish()` may take after an interruption, however slowly the reader reads.
    private static let lastPatience: Duration = .seconds(6)
    /// How long `finish()` waits at least.
    private static let leastPatience: Duration = .milliseconds(500)

    /// How often a FIFO is asked for a reader.
    private static let readerInterval: Duration = .milliseconds(50)

    private let sink: LineSink
    private let limit: Int
    private let idlePatience: Duration?
    private let state = Locked(State())
    private let work = ThreadSignal()
    private let news = ThreadSignal()

    /// Creates it.
    ///
    /// - Parameter patience: how long a reader may take nothing after the last line, without an interruption; nil waits
    ///   without end.
    package init(to sink: LineSink, limit: Int = LineWriter.defaultLimit, patience: Duration? = nil) {
        self.sink = sink
        self.limit = limit
        idlePatience = patience
    }

    /// Creates it for a descriptor, which must stay open.
    package convenience init(
        to descriptor: Int32, limit: Int = LineWriter.defaultLimit, patience: Duration? = nil
    ) {
        self.init(to: LineSink(to: descriptor), limit: limit, patience: patience)
    }

    /// Names what it writes to, in a sentence.
    package var name: String { sink.name }

    /// Whether `reopen()` has an effect: it writes to a file.
    package var canReopen: Bool { sink.canReopen }

    /// Whether the FIFO has no reader so far. To be called before `start`.
    package var waitsForReader: Bool { !sink.isOpen }

    /// Starts the thread. `report` is called on it, and released by `finish()`.
    package func start(_ report: @escaping @Sendable (Report) -> Void) throws(SystemCalls.Failure) {
        state.withLock { state in
            state.report = report
            state.waitsForReader = !sink.isOpen
        }
        try DetachedThread.start { self.run() }
    }

    /// Queues whole lines and empties `lines`.
    ///
    /// - Returns: whether the queue is full now; `.drained` will follow.
    package func give(_ lines: inout [UInt8]) -> Bool {
        let (isFull, wasIdle) = state.withLock { state in
            guard !state.isBroken else { return (false, false) }
            let wasIdle = state.append(&lines)
            if state.byteCount >= limit { state.wantsDrained = true }
            return (state.wantsDrained, wasIdle)
        }
        lines.removeAll(keepingCapacity: lines.capacity <= 1_048_576)
        if wasIdle { work.ring() }
        return isFull
    }

    /// Queues a whole line, or drops it if it does not fit. Any thread.
    ///
    /// - Parameters:
    ///   - mustFit: the line is never dropped.
    ///   - notice: makes the line that replaces all dropped ones when there is room again.
    package func offer(_ line: [UInt8], mustFit: Bool = false, notice: @escaping Notice) {
        var line = line
        let wasIdle = state.withLock { state in
            guard !state.isBroken else { return false }
            guard mustFit || state.byteCount + line.count <= limit - LineWriter.reserve else {
                state.dropped = ((state.dropped?.count ?? 0) + 1, notice)
                state.droppedLineCount += 1
                return false
            }
            let wasIdle = state.appendNotice()
            return state.append(&line) || wasIdle
        }
        if wasIdle { work.ring() }
    }

    /// Shows a line that the next one replaces; nil removes it. Only for a terminal. Any thread.
    ///
    /// It is removed before other lines and drawn again below them. One is queued at most, none after `interrupt()`.
    package func show(_ status: [UInt8]?) {
        let wasIdle = state.withLock { state in
            guard !state.isBroken, !state.isEnding, state.interruption == nil else { return false }
            guard state.status.set(status) else { return false }
            defer { state.isIdle = false }
            return state.isIdle
        }
        if wasIdle { work.ring() }
    }

    /// The bytes that are queued or being written. Any thread.
    package var queuedByteCount: Int { state.withLock { $0.byteCount } }

    /// How many lines `offer` has dropped. Any thread.
    package var droppedLineCount: Int { state.withLock { $0.droppedLineCount } }

    /// Opens the file again, by its path, as soon as the lines being written are whole: a line is in the old file or in
    /// the new one. `.reopened` follows, once for several calls that come together. Any thread.
    package func reopen() {
        state.withLock { $0.wantsReopening = true }
        work.ring()
    }

    /// The last line is queued, though `finish()` is called later: the patience with the reader counts from now.
    package func expectFinish() {
        state.withLock { state in state.ending = state.ending ?? .now }
    }

    /// Waits until everything is written, or writing failed. Nothing is reported afterwards.
    package func finish() -> Outcome {
        state.withLock { state in
            // A second call waits again.
            if state.isEnding { state.ending = .now } else { state.ending = state.ending ?? .now }
            state.isEnding = true
            _ = state.status.set(nil)
        }
        work.ring()
        let outcome = waitForOutcome()
        // Released here and not by the thread, which may still be ending.
        let report = state.withLock { state in
            defer { state.report = nil }
            return state.report
        }
        withExtendedLifetime(report) {}
        return outcome
    }

    private func waitForOutcome() -> Outcome {
        while true {
            let now = state.withLock { $0 }
            if let outcome = now.outcome { return outcome }
            let rest = deadline(now).map { $0 - ContinuousClock.now }
            // Nothing is left to write, but the thread has not reported it yet: the reader caused no delay.
            if let rest, rest <= .zero { return now.byteCount == 0 ? .written : .abandoned(byteCount: now.byteCount) }
            news.wait(for: rest)
        }
    }

    /// When to give up if nothing is written until then.
    private func deadline(_ state: State) -> ContinuousClock.Instant? {
        guard let interruption = state.interruption else {
            guard let idlePatience, let ending = state.ending else { return nil }
            return max(state.progress, ending) + idlePatience
        }
        // Without a reader there is no line that one has begun to read.
        if state.waitsForReader { return interruption }
        let limit = min(
            max(state.progress, interruption) + LineWriter.patience, interruption + LineWriter.lastPatience)
        // However long after the interruption the last line came, the thread has its turn.
        return max(limit, (state.ending ?? interruption) + LineWriter.leastPatience)
    }

    /// Makes `finish()` give up on a reader that takes nothing. Any thread.
    package func interrupt() {
        state.withLock { state in
            if state.interruption == nil { state.interruption = .now }
            _ = state.status.set(nil)
            state.isIdle = false
        }
        news.ring()
        work.ring()
    }

    // MARK: - On the thread

    private func run() {
        var sink = self.sink
        var outcome = Outcome.written
        do throws(SystemCalls.Failure) {
            while let lines = next(&sink) { try write(lines, to: &sink) }
        } catch {
            outcome = error.isClosedPipe ? .closedPipe : .failed(error)
            state.withLock { state in
                state.isBroken = true
                state.queue = []
            }
            tell(.failed)
        }
        sink.end()
        state.withLock { $0.outcome = outcome }
        news.ring()
    }

    private func tell(_ report: Report) {
        let listener = state.withLock { $0.report }
        listener?(report)
    }

    /// What the thread does next.
    private enum Step {
        case write([UInt8])
        case reopen
        case wait
        case end
    }

    /// The bytes to write next; nil at the end. The sink is open then.
    private func next(_ sink: inout LineSink) -> [UInt8]? {
        while true {
            switch step(isOpen: sink.isOpen) {
            case .write(let lines): return lines
            case .end: return nil
            case .reopen: reopen(&sink)
            case .wait: work.wait(for: sink.isOpen ? nil : LineWriter.readerInterval)
            }
            if !sink.isOpen { try? sink.reopen() }
            state.withLock { $0.waitsForReader = !sink.isOpen }
        }
    }

    private func step(isOpen: Bool) -> Step {
        state.withLock { state in
            if state.wantsReopening {
                state.wantsReopening = false
                return .reopen
            }
            if !state.queue.isEmpty, isOpen {
                var lines: [UInt8] = []
                swap(&lines, &state.queue)
                state.byteCount += state.status.wrap(&lines)
                return .write(lines)
            }
            if isOpen, let drawing = state.status.drawing() {
                if state.byteCount == 0 { state.progress = .now }
                state.byteCount += drawing.count
                return .write(drawing)
            }
            if state.queue.isEmpty, state.isEnding { return .end }
            // Without a reader it looks for one regularly, however many lines come.
            state.isIdle = isOpen
            return .wait
        }
    }

    private func reopen(_ sink: inout LineSink) {
        do throws(SystemCalls.Failure) {
            try sink.reopen()
            tell(.reopened(nil))
        } catch {
            tell(.reopened(error))
        }
    }

    private func write(_ lines: [UInt8], to sink: inout LineSink) throws(SystemCalls.Failure) {
        var rest = lines[...]
        while !rest.isEmpty {
            let count: Int
            do throws(SystemCalls.Failure) {
                count = try sink.write(rest.prefix(LineWriter.pieceByteCount))
            } catch {
                let written = lines[..<rest.startIndex]
                sink.cutBack(written.count - ((written.lastIndex(of: 0x0A) ?? -1) + 1))
                throw error
            }
            rest = rest.dropFirst(count)
            let isDrained = state.withLock { state in
                state.byteCount -= count
                state.progress = .now
                // The thread itself writes it next.
                if state.byteCount <= limit - LineWriter.reserve { _ = state.appendNotice() }
                guard state.wantsDrained, state.byteCount <= limit / 2 else { return false }
                state.wantsDrained = false
                return true
            }
            if isDrained { tell(.drained) }
        }
    }
}
