package import GenesysLoop

/// What the sink reports, and what is sent.
extension RelayMachine {
    /// The delay before the sink is opened again, or a refused record sent again, doubles from the first to the last.
    static let delays: ClosedRange<Duration> = .milliseconds(100) ... .seconds(5)

    // MARK: - Connections

    /// The sink is connected.
    ///
    /// - Parameters:
    ///   - head: the end of the stream; nil if there is none.
    ///   - floor: a lease gave this epoch; the machine writes none below it.
    package mutating func sinkOpened(head: StreamHead?, floor: UInt64 = 0, now: ClockReading) -> [Action] {
        guard state == .opening else { return [] }
        state = .live
        isWindowFull = false
        outage = nil
        if let epoch {
            compare(head, with: epoch, now: now)
            obey(floor, now: now)
        } else {
            beginFirstEpoch(head: head, floor: floor, now: now)
        }
        send(now: now)
        finishIfDrained()
        return takeActions()
    }

    /// The sink could not be opened, or its connection is gone.
    package mutating func sinkLost(_ reason: String, now: ClockReading) -> [Action] {
        switch state {
        case .opening:
            if epoch == nil { tell(.unreachable, reason) }
        case .live, .refused:
            emit(.tell(.engineLost(reason)))
        case .idle, .waiting, .ended:
            ignoreLate()
            return []
        }
        lastFailure = reason
        if queue.inFlightCount > 0 {
            doubtfulSequence = max(doubtfulSequence, queue.sent[queue.inFlightCount - 1].sequence)
        }
        queue.nothingIsInFlight()
        isWindowFull = false
        state = .waiting(until: now.instant + nextDelay())
        return takeActions()
    }

    /// The engine refuses every try: a right is missing, or the key has another type.
    package mutating func sinkFailed(_ reason: String) -> [Action] {
        guard state != .ended else { return [] }
        finish(.refused(reason, undelivered: queue.count))
        return takeActions()
    }

    /// Each attempt that fails in the same way is the same outage.
    private mutating func tell(_ outage: Outage, _ reason: String) {
        guard self.outage != outage else { return }
        self.outage = outage
        emit(.tell(.engineUnavailable(reason)))
    }

    private mutating func nextDelay() -> Duration {
        let full = min(RelayMachine.delays.upperBound, RelayMachine.delays.lowerBound * (1 << min(failureCount, 10)))
        failureCount += 1
        return random.duration(in: full / 2...full)
    }

    // MARK: - Epochs

    private mutating func beginFirstEpoch(head: StreamHead?, floor: UInt64, now: ClockReading) {
        let next = head.map { $0.last.epoch + 1 } ?? (floor > 0 ? floor : UInt64(max(1, now.wall.seconds)))
        predecessor = head
        if let head { history.found(head.last, before: head.coveredUntil ?? now.wall) }
        heardAt = heardAt ?? head?.coveredUntil ?? now.wall
        let previous = head.map { PreviousEpoch(epoch: $0.last.epoch, coveredUntil: $0.coveredUntil) }
        begin(epoch: max(next, floor), previous: previous, with: [], now: now)
    }

    /// The lease was another relay's meanwhile, which may have prepared to write the present epoch.
    private mutating func obey(_ floor: UInt64, now: ClockReading) {
        guard state == .live, let epoch, epoch < floor else { return }
        begin(epoch: floor, previous: PreviousEpoch(epoch: epoch, coveredUntil: coveredUntil), with: [], now: now)
    }

    private mutating func begin(epoch: UInt64, previous: PreviousEpoch?, with gaps: [RelayGap], now: ClockReading) {
        self.epoch = epoch
        storedSequence = 0
        doubtfulSequence = 0
        // The record of an epoch that never began.
        queue.nothingIsInFlight()
        if queue.sent.first?.isEpoch ?? false { _ = queue.removeFirst() }
        let first = QueuedRecord(receivedAt: now.wall, content: .epoch(previous: previous))
        queue.restart(
            after: 0, with: [first] + gaps.map { QueuedRecord(receivedAt: now.wall, content: .gap($0)) })
    }

    /// Compares the engine's head with what it has acknowledged.
    private mutating func compare(_ head: StreamHead?, with epoch: UInt64, now: ClockReading) {
        if let last = head?.last, last.epoch >= epoch {
            let isOurs = last.epoch == epoch && head?.owner == owner && last.sequence <= queue.lastSequence
            guard isOurs else { return fence() }
        }
        let losses = history.rollBack(to: head?.last)
        if let first = losses.first {
            reportLosses(losses, from: min(first.start, now.wall), head: head, now: now)
        } else if let last = head?.last, last.epoch == epoch {
            acknowledge(through: last.sequence, now: now)
        }
    }

    /// The engine had acknowledged more than it has: a new epoch begins, and gap records name what is gone.
    private mutating func reportLosses(
        _ losses: [StoredHistory.Loss], from: WallTime, head: StreamHead?, now: ClockReading
    ) {
        for loss in losses { emit(.tell(.engineRolledBack(loss.records))) }
        let last = max(epoch ?? 0, head?.last.epoch ?? 0)
        let gaps = losses.map {
            RelayGap(from: min($0.start, now.wall), to: now.wall, reason: .engineLost, lost: $0.records)
        }
        for gap in gaps { counters.count(gap) }
        begin(
            epoch: last + 1, previous: PreviousEpoch(epoch: last, coveredUntil: from), with: gaps, now: now)
    }

    /// The lease says that another writer has the stream.
    package mutating func wasFenced() -> [Action] {
        guard state != .ended else { return [] }
        fence()
        return takeActions()
    }

    private mutating func fence() {
        emit(.tell(.fenced))
        finish(.fenced(undelivered: queue.count))
    }

    // MARK: - Acknowledgements

    /// The engine has stored everything up to `id`.
    package mutating func stored(through id: RecordID, now: ClockReading) -> [Action] {
        guard state == .live, id.epoch == epoch else {
            ignoreLate()
            return []
        }
        // A sink acknowledges nothing that is not under way.
        guard queue.inFlightCount > 0 else { return [] }
        acknowledge(through: min(id.sequence, queue.sent[queue.inFlightCount - 1].sequence), now: now)
        send(now: now)
        finishIfDrained()
        return takeActions()
    }

    private mutating func acknowledge(through sequence: UInt64, now: ClockReading) {
        guard sequence > storedSequence else { return }
        let wasLeading = isLeading
        while let first = queue.sent.first, first.sequence <= sequence, let record = queue.removeFirst() {
            storedSequence = record.sequence
            counters.stored(after: now.wall.nanoseconds(since: record.receivedAt))
            history.stored(RecordID(epoch: epoch ?? 0, sequence: record.sequence), start: record.start)
        }
        failureCount = 0
        outage = nil
        isWindowFull = false
        endPressure()
        if !wasLeading, isLeading { beganLeading(now: now) }
    }

    private mutating func beganLeading(now: ClockReading) {
        emit(.tell(.leading(epoch: epoch ?? 0)))
        aliveDeadline = now.instant + settings.alive
        guard !isSourceOpen else { return }
        isSourceOpen = true
        if drainDeadline == nil { emit(.openSource) }
    }

    // MARK: - Refusals

    /// The engine did not store the record `sequence`, and nothing behind it.
    package mutating func refused(_ sequence: UInt64, _ refusal: Refusal, now: ClockReading) -> [Action] {
        guard state == .live else {
            ignoreLate()
            return []
        }
        switch refusal {
        case .busy(let reason):
            acknowledgeBefore(sequence, now: now)
            retryLater(reason, now: now)
            tell(.refusing, reason)
        case .permanent(let reason):
            acknowledgeBefore(sequence, now: now)
            replaceRefused(sequence, reason, now: now)
        case .hole(let wanted):
            continueAt(wanted, now: now)
        case .fenced:
            fence()
        }
        return takeActions()
    }

    private mutating func acknowledgeBefore(_ sequence: UInt64, now: ClockReading) {
        if sequence > 0 { acknowledge(through: sequence - 1, now: now) }
    }

    private mutating func retryLater(_ reason: String, now: ClockReading) {
        lastFailure = reason
        queue.nothingIsInFlight()
        isWindowFull = false
        state = .refused(until: now.instant + nextDelay())
    }

    /// The record becomes a dead letter, and a gap record takes the next number: the engine has none from this one on.
    /// If those behind it were under way before, they must keep their numbers: then a new epoch begins.
    private mutating func replaceRefused(_ sequence: UInt64, _ reason: String, now: ClockReading) {
        guard let record = queue.sent.first, record.sequence == sequence, let epoch else {
            return brokenInvariant("a sink refuses a record that is in flight")
        }
        guard case .notification = record.content else {
            return finish(.refused(reason, undelivered: queue.count))
        }
        let id = RecordID(epoch: epoch, sequence: sequence)
        emit(.deadLetter(batch(BatchRange(first: id, count: 1, coveredUntil: record.receivedAt)).deadLetter(reason)))
        emit(.tell(.refused(sequence: sequence, reason)))
        _ = queue.removeFirst()
        isWindowFull = false
        var gap = RelayGap(from: record.receivedAt, to: record.receivedAt, reason: .refused)
        counters.refusedCount += 1
        counters.count(gap)
        if sequence < doubtfulSequence {
            // An earlier connection may still bring what follows, under the numbers that it has now.
            gap.lost = RelayGap.LostRecords(epoch: epoch, sequences: sequence...sequence)
            let previous = PreviousEpoch(epoch: epoch, coveredUntil: record.receivedAt)
            begin(epoch: epoch + 1, previous: previous, with: [gap], now: now)
        } else {
            queue.restart(
                after: sequence - 1, with: [QueuedRecord(skippedCount: 1, receivedAt: now.wall, content: .gap(gap))])
        }
        send(now: now)
    }

    /// The engine wants another number: it has everything before that one, and nothing else.
    private mutating func continueAt(_ wanted: UInt64, now: ClockReading) {
        guard wanted > 0, wanted <= queue.lastSequence + 1 else { return fence() }
        if wanted <= storedSequence {
            // It lost records: how many, its head tells.
            queue.nothingIsInFlight()
            isWindowFull = false
            state = .opening
            emit(.openSink)
        } else {
            acknowledge(through: wanted - 1, now: now)
            retryLater("a hole", now: now)
        }
    }

    // MARK: - Sending

    /// Sends what is due and fits into the window.
    mutating func send(now: ClockReading) {
        // A small record would fit into the rest of a full window: each drop would become a gap record of its own.
        guard state == .live, !isWindowFull, let epoch else { return }
        while let count = nextBatch(now: now) {
            let first = queue.sent[queue.inFlightCount].sequence
            queue.putInFlight(count: count)
            let covered = coveredUntil ?? now.wall
            emit(
                .append(
                    BatchRange(
                        first: RecordID(epoch: epoch, sequence: first), count: count, coveredUntil: covered)))
        }
    }

    /// Chooses the records of the next batch; nil if none is due.
    private mutating func nextBatch(now: ClockReading) -> Int? {
        let room = settings.inFlightBytes - queue.inFlightBytes
        let isBatchDue = isBatchDue(now: now)
        // The epoch record is stored before anything else is appended.
        let limit = isLeading ? settings.batchCount : 1 - queue.inFlightCount
        var count = 0
        var bytes = 0
        while count < limit {
            let place = queue.inFlightCount + count
            let isSent = place < queue.sent.count
            guard let size = isSent ? queue.sent[place].size : isBatchDue ? queue.nextSize : nil else { break }
            if count > 0, bytes + size > settings.batchBytes { break }
            if bytes + size > room, queue.inFlightCount + count > 0 {
                isWindowFull = true
                break
            }
            if !isSent, let record = queue.sendNext(), let gap = record.gap, gap.reason == .overflow,
                let range = record.skipped
            {
                counters.count(gap, dropped: range.count)
                emit(.tell(.dropped(range)))
            }
            count += 1
            bytes += size
        }
        if queue.waiting.isEmpty { lingerDeadline = nil }
        return count > 0 ? count : nil
    }

    private func isBatchDue(now: ClockReading) -> Bool {
        drainDeadline != nil || queue.waiting.count >= settings.batchCount || queue.waitingBytes >= settings.batchBytes
            || lingerDeadline.map { $0 <= now.instant } ?? true
    }
}
