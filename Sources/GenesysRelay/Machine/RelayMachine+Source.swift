package import GenesysLoop

/// What the source delivers, and what is done when it is more than the engine takes.
extension RelayMachine {
    /// How far a paused source may exceed the queue: it delivers what it has read.
    static let pauseSlack = 1 << 20

    /// The source delivered a notification: it has its place in the order from now on.
    ///
    /// - Parameters:
    ///   - topic: its topic, decoded.
    ///   - correlation: its correlation id, decoded; empty if there is none.
    ///   - data: the whole message.
    /// - Returns: whether there are actions to take.
    package mutating func received(
        topic: Span<UInt8>, correlation: Span<UInt8>, data: Span<UInt8>, now: ClockReading
    ) -> Bool {
        guard state != .ended else { return false }
        queue.append(topic: topic, correlation: correlation, data: data, receivedAt: now.wall)
        if !settings.isSourceAsked { heardAt = now.wall }
        aliveDeadline = now.instant + settings.alive
        counters.receivedCount += 1
        queued(now: now)
        return hasActions
    }

    /// A byte of the source arrived at `time`: until then it delivers. If the clock was set back, so is the time.
    package mutating func sourceHeard(at time: WallTime, now: WallTime) {
        guard isSourceConfirmed else { return }
        heardAt = min(max(heardAt ?? time, time), now)
    }

    /// The source delivers for the first time: from now on nothing is missed without a report.
    package mutating func sourceConfirmed(now: ClockReading) -> [Action] {
        guard !isSourceConfirmed, state != .ended else { return [] }
        isSourceConfirmed = true
        if let predecessor {
            let from = predecessor.coveredUntil ?? heardAt ?? now.wall
            let reason: RelayGap.Reason = predecessor.isReleased ? .startup : .crash
            // The earlier writer's clock may be ahead of this one.
            queueGap(RelayGap(from: min(from, now.wall), to: max(from, now.wall), reason: reason), now: now)
        }
        if !settings.isSourceAsked { heardAt = now.wall }
        return takeActions()
    }

    /// The source missed notifications.
    package mutating func sourceMissed(_ gap: Gap, now: ClockReading) -> [Action] {
        guard state != .ended else { return [] }
        queueGap(RelayGap(from: gap.from, to: gap.to, reason: RelayGap.Reason(gap.reason)), now: now)
        if !settings.isSourceAsked { heardAt = max(heardAt ?? gap.to, gap.to) }
        return takeActions()
    }

    private mutating func queueGap(_ gap: RelayGap, now: ClockReading) {
        queue.append(QueuedRecord(receivedAt: now.wall, content: .gap(gap)))
        counters.count(gap)
        queued(now: now)
    }

    mutating func queueAlive(now: ClockReading) {
        guard let coveredUntil else { return brokenInvariant("a writer that leads knows what it covers") }
        aliveDeadline = now.instant + settings.alive
        queue.append(QueuedRecord(receivedAt: now.wall, content: .alive(coveredUntil: coveredUntil)))
        queued(now: now)
    }

    private mutating func queued(now: ClockReading) {
        if lingerDeadline == nil { lingerDeadline = now.instant + settings.linger }
        send(now: now)
        if queue.size > settings.queueBytes { relievePressure(now: now) }
    }

    // MARK: - A full queue

    private mutating func relievePressure(now: ClockReading) {
        switch pressure {
        case .none:
            emit(.tell(.overflow))
            switch settings.overflow {
            case .pause:
                pressure = .paused(until: now.instant + settings.pauseLimit)
                emit(.pauseSource)
            case .dropOldest:
                pressure = .dropping
                queue.dropOldest(to: settings.queueBytes)
            }
        case .paused:
            // It was read before the pause; too much of it is dropped as well.
            let slack = min(RelayMachine.pauseSlack, settings.queueBytes)
            if queue.size > settings.queueBytes + slack { queue.dropOldest(to: settings.queueBytes) }
        case .dropping:
            queue.dropOldest(to: settings.queueBytes)
        }
    }

    /// The service does not wait longer for a client that does not read.
    mutating func pauseEnded(now: ClockReading) {
        pressure = .dropping
        queue.dropOldest(to: settings.queueBytes)
        emit(.resumeSource)
    }

    /// Half of the queue is free again.
    mutating func endPressure() {
        guard queue.size <= settings.queueBytes / 2 else { return }
        switch pressure {
        case .none: return
        case .paused: emit(.resumeSource)
        case .dropping: break
        }
        pressure = .none
    }
}
