package import GenesysLoop

/// The way of notifications into the stream of an engine, in order and once, as a value.
///
///     idle ──open──▶ opening ──opened──▶ live ◀──delay over── refused
///                     ▲   │               │ └──────refused──────▲
///           delay over│   │failed         │lost
///                     └─ waiting ◀────────┘
///
///     all ──closed and all stored, drain limit, fenced, refused for good──▶ ended
///
/// An *epoch* is one writer's time. Its first record is its epoch record, and nothing else is appended before that one
/// is stored: from then on the engine refuses every older writer. Sequences start at 1 and have no holes; a gap record
/// names the numbers that no record has, directly before its own.
///
/// The sink acknowledges cumulatively. After a connection is lost, all that is not acknowledged is sent again under the
/// same ids, and the engine skips what it has. If its head is behind what it had acknowledged, it lost records: a new
/// epoch begins, with a gap record that names them.
///
/// Epoch and owner are inputs where a lease decides about them: `owner`, and `floor` of `sinkOpened`.
package struct RelayMachine: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        case idle
        case opening
        /// Before the sink is opened again.
        case waiting(until: Instant)
        case live
        /// The sink is open, and the engine refused the first record for now.
        case refused(until: Instant)
        case ended
    }

    /// What is done about a full queue.
    enum Pressure: Equatable, Sendable {
        case none
        case paused(until: Instant)
        case dropping
    }

    /// Why an engine that is not lost stores nothing.
    enum Outage: Equatable, Sendable {
        /// It was never connected.
        case unreachable
        /// It refuses records for now.
        case refusing
    }

    package let settings: RelaySettings
    /// The name of this writer, unlike that of every other one.
    package let owner: String
    /// Where the notifications come from, as the records tell it: `genesys/NAME`.
    package let source: String
    package internal(set) var state = State.idle
    /// The present epoch; nil until the engine was seen.
    package internal(set) var epoch: UInt64?
    /// The last sequence of the epoch that the engine acknowledged.
    package internal(set) var storedSequence: UInt64 = 0
    /// What was done so far.
    package internal(set) var counters = RelayCounters()
    var queue = RelayQueue()
    var history = StoredHistory()
    /// The head of the stream before the first epoch of this machine.
    var predecessor: StreamHead?
    var pressure = Pressure.none
    /// The last instant at which the source was known to deliver.
    var heardAt: WallTime?
    var isSourceOpen = false
    var isSourceConfirmed = false
    /// A batch did not fit: what is in flight must be acknowledged first.
    var isWindowFull = false
    /// The last record that was under way when a connection ended: what was sent may still reach the engine.
    var doubtfulSequence: UInt64 = 0
    var startDeadline: Instant?
    var drainDeadline: Instant?
    var lingerDeadline: Instant?
    var aliveDeadline: Instant?
    var failureCount = 0
    /// The one that was told; nil after an acknowledgment, or a connection.
    var outage: Outage?
    var lastFailure = "no answer"
    var random: SplitMix64
    private var actions: [Action] = []

    /// Creates a machine.
    ///
    /// - Parameters:
    ///   - name: that of the relay.
    ///   - owner: a text that no other process has.
    package init(name: String, owner: String, settings: RelaySettings = RelaySettings(), seed: UInt64) {
        self.owner = owner
        source = "genesys/" + name
        var settings = settings
        // What was sent cannot be dropped: it must leave room in the queue.
        settings.inFlightBytes = min(settings.inFlightBytes, settings.queueBytes / 2)
        self.settings = settings
        random = SplitMix64(seed: seed)
    }

    // MARK: - Actions

    mutating func emit(_ action: Action) { actions.append(action) }

    var hasActions: Bool { !actions.isEmpty }

    /// What is to be done since the last call.
    package mutating func takeActions() -> [Action] {
        guard !actions.isEmpty else { return [] }
        defer { actions = [] }
        return actions
    }

    /// An input that is late is legal: an answer to what was given up.
    func ignoreLate() {}

    /// Only a mistake in this machine or its sink leads here: found in debug builds, ignored in release builds.
    func brokenInvariant(_ rule: StaticString) { assertionFailure("\(rule)") }

    // MARK: - What others see

    /// Records that are not stored.
    package var undeliveredCount: Int { queue.count }
    /// Bytes of the queue, an overhead for each record included.
    package var queueSize: Int { queue.size }

    /// The receipt of the oldest record that is not stored.
    package var oldestReceipt: WallTime? { (queue.sent.first ?? queue.waiting.first)?.receivedAt }

    /// Whether the epoch's first record is stored: only then the others may follow.
    package var isLeading: Bool { epoch != nil && storedSequence > 0 }

    /// Until when everything that the source delivered is in the stream, or in a gap record.
    ///
    /// The earlier of the last byte received and the receipt of the oldest record that is not stored.
    package var coveredUntil: WallTime? {
        guard let heardAt else { return nil }
        return queue.start.map { min($0, heardAt) } ?? heardAt
    }

    // MARK: - Inputs of the host

    package mutating func openRequested(now: ClockReading) -> [Action] {
        guard state == .idle else { return [] }
        startDeadline = settings.startLimit.map { now.instant + $0 }
        state = .opening
        emit(.openSink)
        return takeActions()
    }

    /// The source has ended, and what is queued is to be stored.
    package mutating func closeRequested(now: ClockReading) -> [Action] {
        switch state {
        case .idle:
            state = .ended
            emit(.finish(.drained))
        case .opening, .waiting, .live, .refused:
            guard drainDeadline == nil else { return [] }
            drainDeadline = now.instant + settings.drainLimit
            send(now: now)
            finishIfDrained()
        case .ended:
            break
        }
        return takeActions()
    }

    // MARK: - Timers

    package var nextDeadline: Instant? {
        var first: Instant?
        for timer in RelayTimer.allCases {
            guard let deadline = deadline(of: timer) else { continue }
            first = min(first ?? deadline, deadline)
        }
        return first
    }

    package mutating func deadlineReached(now: ClockReading) -> [Action] {
        for timer in RelayTimer.allCases {
            guard let deadline = deadline(of: timer), deadline <= now.instant else { continue }
            fire(timer, now: now)
        }
        return takeActions()
    }

    private func deadline(of timer: RelayTimer) -> Instant? {
        guard state != .ended else { return nil }
        switch timer {
        case .start: return isSourceOpen ? nil : startDeadline
        case .drain: return drainDeadline
        case .reopen: if case .waiting(let until) = state { return until } else { return nil }
        case .retry: if case .refused(let until) = state { return until } else { return nil }
        case .pause: if case .paused(let until) = pressure { return until } else { return nil }
        case .linger: return state == .live && isLeading && !isWindowFull ? lingerDeadline : nil
        case .alive: return state == .live && isLeading && queue.isEmpty ? aliveDeadline : nil
        }
    }

    private mutating func fire(_ timer: RelayTimer, now: ClockReading) {
        switch timer {
        case .start: finish(.unreachable(lastFailure))
        case .drain: finish(.undelivered(queue.count))
        case .reopen:
            state = .opening
            emit(.openSink)
        case .retry:
            state = .live
            send(now: now)
        case .pause: pauseEnded(now: now)
        case .linger: send(now: now)
        case .alive: queueAlive(now: now)
        }
    }

    // MARK: - The end

    mutating func finishIfDrained() {
        guard drainDeadline != nil, queue.isEmpty, state != .ended else { return }
        emit(.tell(.drained))
        finish(.drained)
    }

    mutating func finish(_ end: End) {
        state = .ended
        emit(.closeSink(coveredUntil: coveredUntil, isReleased: end == .drained && isLeading))
        emit(.finish(end))
    }
}
