package import GenesysLoop

/// Who may write a stream, decided by a lease without an expiry, as a value.
///
///     disconnected ──opened──▶ reading ──none, released or ours──▶ replacing ◀──renewal──▶ leading
///                                │ ▲                                 ▲
///                       another's│ │poll                             │
///                                ▼ │                                 │
///                              watching ──stood still for long enough┘
///
///     reading, replacing ──another's revision moved: refused; its epoch is higher than ours: fenced──▶ ended
///     all ──connection lost, or a deadline passed──▶ disconnected
///     all ──closed, and the lease released──▶ ended
///
/// The owner replaces the lease by its next revision every third of a lease, by compare-and-set. Another relay that
/// sees one revision stand still for a lease and 2 s, by its own monotonic clock and on one connection, takes it by
/// compare-and-set. Clocks are not compared, and an engine that was away proves nothing about the owner. A lease
/// that is lost decides nothing either: a relay that led creates it again, and goes on until it sees a higher epoch of
/// another owner. Two owners of one epoch are told apart by the head of the stream.
///
/// The lease keeps two relays from writing in turn; that a stale one writes nothing, the engine ensures by the epoch.
///
/// Deadlines: answer, hold, take, poll, renew (see `LeaseTimer`). Sources: relay sheet §3.2, §3.4 F1 to F8, F11, F12.
package struct LeaseMachine: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        case disconnected
        case reading
        case watching
        /// It is taken or renewed.
        case replacing(LeaseRecord)
        case leading
        case ended
    }

    package enum Action: Equatable, Sendable {
        case read
        /// A nil revision: only if there is no lease.
        case replace(revision: UInt64?, with: LeaseRecord)
        /// The stream is ours; `head` was read when the lease was taken or renewed on this connection.
        case lead(epoch: UInt64, head: StreamHead?)
        /// Another relay renews it. Nothing follows.
        case refuse(owner: String)
        /// Another relay has followed this one. Nothing follows.
        case fenced
        /// Appending must end until the sink is opened again.
        case dropConnection(String)
    }

    /// The lease of another owner, and since when it has not changed.
    private struct Sighting: Equatable, Sendable {
        let record: LeaseRecord
        let since: Instant
    }

    package let owner: String
    /// The time after which a lease that is not renewed is in doubt.
    package let lease: Duration
    package private(set) var state = State.disconnected
    /// The epoch of the records that this relay appends; nil until it leads for the first time.
    package private(set) var epoch: UInt64?
    /// Ours, as the engine has it.
    private var held: LeaseRecord?
    /// When the renewal that the engine confirmed last was sent.
    private var renewedAt: Instant?
    private var isRenewalDue = false
    /// When the last question was asked.
    private var askedAt: Instant?
    private var sighting: Sighting?
    /// The lease that is being replaced.
    private var former: LeaseRecord?
    private var head: StreamHead?
    /// `lead` was told on this connection.
    private var isLeadTold = false
    private var random: SplitMix64

    /// The owner of the lease that is watched; nil if none is.
    package var watchedOwner: String? { sighting?.record.owner }
    /// A lease that stands still for so long is taken.
    package var watchLimit: Duration { lease + .seconds(2) }
    private var actions: [Action] = []

    package init(owner: String, lease: Duration, seed: UInt64) {
        self.owner = owner
        self.lease = lease
        random = SplitMix64(seed: seed)
    }

    // MARK: - Connections

    /// The sink is connected, or was told to open again.
    package mutating func opened(now: ClockReading) -> [Action] {
        guard state != .ended else { return [] }
        disconnect()
        read(now: now)
        return takeActions()
    }

    /// The connection is gone, and the answers with it.
    package mutating func lost() {
        if state != .ended { disconnect() }
    }

    private mutating func disconnect() {
        state = .disconnected
        sighting = nil
        isLeadTold = false
    }

    private mutating func drop(_ reason: String) {
        disconnect()
        actions.append(.dropConnection(reason))
    }

    // MARK: - Answers

    /// The lease and the head of the stream, as they were at one instant.
    package mutating func read(_ record: LeaseRecord?, head: StreamHead?, now: ClockReading) -> [Action] {
        // Else it answers a question that was given up.
        guard state == .reading else { return [] }
        found(record, head: head, now: now)
        return takeActions()
    }

    /// The answer to `replace`.
    ///
    /// - Parameter current: the lease that the engine has now.
    package mutating func replaced(
        _ isReplaced: Bool, current: LeaseRecord?, head: StreamHead?, now: ClockReading
    ) -> [Action] {
        guard case .replacing(let record) = state else { return [] }
        if isReplaced {
            hold(record, head: head)
        } else {
            found(current, head: head, now: now)
        }
        return takeActions()
    }

    private mutating func hold(_ record: LeaseRecord, head: StreamHead?) {
        held = record
        renewedAt = askedAt
        sighting = nil
        state = .leading
        guard !isLeadTold else { return }
        isLeadTold = true
        epoch = record.epoch
        actions.append(.lead(epoch: record.epoch, head: covered(head)))
    }

    /// The former owner may have renewed the lease after it stored its last record.
    private func covered(_ head: StreamHead?) -> StreamHead? {
        guard var head, let former, former.owner == head.owner, former.epoch == head.last.epoch else { return head }
        head.coveredUntil = [head.coveredUntil, former.coveredUntil].compactMap { $0 }.max()
        return head
    }

    /// Decides about the lease that the engine has.
    private mutating func found(_ record: LeaseRecord?, head: StreamHead?, now: ClockReading) {
        self.head = head
        guard let record else { return replace(nil, epoch: epoch ?? nextEpoch(after: nil, now: now), now: now) }
        if record.owner == owner {
            let least = head?.owner == owner ? 0 : (head?.last.epoch ?? 0) + 1
            return replace(record, epoch: epoch ?? max(record.epoch, least), now: now)
        }
        guard let epoch else {
            if record.isReleased { return replace(record, epoch: nextEpoch(after: record, now: now), now: now) }
            return watch(record, now: now)
        }
        if record.epoch < epoch || record.epoch == epoch && isHead(of: owner, epoch: epoch) {
            replace(record, epoch: epoch, now: now)
        } else if record.epoch > epoch || isHead(of: record.owner, epoch: epoch) {
            end(.fenced)
        } else if isLeadTold {
            // One epoch, two owners, and neither has stored a record of it.
            drop("another relay, “\(record.owner)”, has the lease")
        } else {
            watch(record, now: now)
        }
    }

    private func isHead(of owner: String, epoch: UInt64) -> Bool { head?.owner == owner && head?.last.epoch == epoch }

    private func nextEpoch(after record: LeaseRecord?, now: ClockReading) -> UInt64 {
        let next = head.map { $0.last.epoch + 1 } ?? UInt64(max(1, now.wall.seconds))
        return max(next, (record?.epoch ?? 0) + 1, (epoch ?? 0) + 1)
    }

    private mutating func watch(_ record: LeaseRecord, now: ClockReading) {
        if let sighting, sighting.record.owner != record.owner || sighting.record.revision != record.revision {
            return end(epoch == nil ? .refuse(owner: record.owner) : .fenced)
        }
        sighting = sighting ?? Sighting(record: record, since: now.instant)
        state = .watching
    }

    // MARK: - Questions

    private mutating func read(now: ClockReading) {
        askedAt = now.instant
        state = .reading
        actions.append(.read)
    }

    private mutating func replace(
        _ former: LeaseRecord?, epoch: UInt64, coveredUntil: WallTime? = nil, now: ClockReading
    ) {
        askedAt = now.instant
        isRenewalDue = false
        self.former = former
        let record = LeaseRecord(
            owner: owner, epoch: epoch, revision: nextRevision(after: former?.revision),
            coveredUntil: coveredUntil ?? covered(head)?.coveredUntil)
        state = .replacing(record)
        actions.append(.replace(revision: former?.revision, with: record))
    }

    /// A random step: no two relays write one revision, whatever the engine declines or forgets.
    private mutating func nextRevision(after revision: UInt64?) -> UInt64 {
        (revision ?? 0) + UInt64.random(in: 1...1 << 20, using: &random)
    }

    /// The relay appends records of another epoch: the lease says so soon.
    package mutating func appendingEpochChanged(_ epoch: UInt64) {
        guard self.epoch != nil, self.epoch != epoch else { return }
        self.epoch = epoch
        isRenewalDue = true
    }

    /// Everything was given to the sink that ever will be: others need not wait.
    package mutating func closeRequested(coveredUntil: WallTime?) -> [Action] {
        defer { state = .ended }
        var mine = state == .leading ? held : nil
        // The answer is under way, and the engine keeps the order.
        if case .replacing(let record) = state { mine = record }
        guard let mine else { return [] }
        var released = mine
        released.revision = nextRevision(after: mine.revision)
        released.coveredUntil = coveredUntil
        released.isReleased = true
        return [.replace(revision: mine.revision, with: released)]
    }

    // MARK: - Timers

    package var nextDeadline: Instant? { LeaseTimer.allCases.compactMap { deadline(of: $0) }.min() }

    /// - Parameter coveredUntil: until when the stream covers the source now.
    package mutating func deadlineReached(now: ClockReading, coveredUntil: WallTime?) -> [Action] {
        for timer in LeaseTimer.allCases {
            guard let deadline = deadline(of: timer), deadline <= now.instant else { continue }
            fire(timer, coveredUntil: coveredUntil, now: now)
        }
        return takeActions()
    }

    private func deadline(of timer: LeaseTimer) -> Instant? {
        switch (timer, state) {
        case (.answer, .reading), (.answer, .replacing): askedAt.map { $0 + lease / 5 }
        case (.hold, .leading), (.hold, .replacing): isLeadTold ? renewedAt.map { $0 + lease * 4 / 5 } : nil
        case (.take, .watching): sighting.map { $0.since + watchLimit }
        case (.poll, .watching): askedAt.map { $0 + lease / 5 }
        case (.renew, .leading): renewedAt.map { isRenewalDue ? $0 : $0 + lease / 3 }
        default: nil
        }
    }

    private mutating func fire(_ timer: LeaseTimer, coveredUntil: WallTime?, now: ClockReading) {
        switch timer {
        case .answer: drop("the engine does not answer about the lease")
        case .hold: drop("the lease was not renewed in time")
        case .take:
            if let askedAt, now.instant - askedAt > lease * 2 / 5 {
                // This process stood still, and saw nothing meanwhile: the observation begins again.
                sighting = nil
                return read(now: now)
            }
            let record = sighting?.record
            replace(record, epoch: nextEpoch(after: record, now: now), now: now)
        case .poll: read(now: now)
        case .renew:
            guard let held else { return }
            replace(held, epoch: epoch ?? held.epoch, coveredUntil: coveredUntil, now: now)
        }
    }

    private mutating func end(_ action: Action) {
        state = .ended
        actions.append(action)
    }

    private mutating func takeActions() -> [Action] {
        defer { actions = [] }
        return actions
    }
}

/// The timers of the machine, in the order in which they are handled when several are due.
enum LeaseTimer: CaseIterable {
    /// A question was not answered within lease / 5: the connection is of no use.
    case answer
    /// No renewal was confirmed for lease - lease / 5: another relay may be about to take the lease.
    case hold
    /// The lease of another has stood still for lease + 2 s.
    case take
    /// It is looked at again every lease / 5.
    case poll
    /// Ours is renewed every lease / 3.
    case renew
}
