import GenesysSimulator

@testable import GenesysLoop

/// Checks the events of a host other than notifications, and its end.
extension Auditor {
    func closeCalled() {
        isCloseCalled = true
        promised = 0
    }

    func told(_ event: ChannelMachine.Event, _ host: SimulatedHost) {
        if isCloseCalled || terminalCount > 0 { fail("told after the end: \(event)") }
        world.note(self.host, "is told \(event)")
        let isHarmless = world.scenario.profile.isHarmless
        switch event {
        case .didSubscribe:
            if isSubscribed { fail("subscribed twice") }
            isSubscribed = true
            isOutage = false
            policy.recovered(at: host.now.instant)
        case .willReconnect(let attempt):
            if isHarmless { fail("a reconnect without a loss: \(attempt.reason)") }
            if !isOutage { gapsInOutage = 0 }
            isOutage = true
            if let text = policy.violation(in: attempt, host.machine.settings, at: host.now.instant) { fail(text) }
        case .didMiss(let gap):
            if isHarmless, world.scenario.profile != .pauses { fail("a gap without a loss: \(gap.reason)") }
            missed(gap, host)
        case .didRecover(let recovery):
            recovered(recovery, at: host.now.instant)
        case .didFailRollover(let failure):
            if isHarmless { fail("a rollover failed: \(failure.reason)") }
        case .didReject, .willExpire:
            break
        }
        updatePromises(host.machine)
    }

    private func missed(_ gap: Gap, _ host: SimulatedHost) {
        if !isSubscribed { fail("a gap before the first confirmation") }
        gapsInOutage += 1
        let span = Span(from: host.clock.time(of: gap.from), to: host.clock.time(of: gap.to))
        if span.from > span.to { fail("a gap that ends before it begins") }
        if span.to > world.time { fail("a gap that ends in the future") }
        gaps.append(span)
    }

    private func recovered(_ recovery: Recovery, at now: Instant) {
        guard recovery.method == .reconnect else { return }
        if isOutage, gapsInOutage != 1 { fail("\(gapsInOutage) gaps for one outage") }
        isOutage = false
        policy.recovered(at: now)
    }

    // MARK: - The end

    func ended(_ end: ChannelMachine.End, _ machine: ChannelMachine, at now: Instant) {
        world.note(host, "ends: \(end)")
        terminalCount += 1
        promised = 0
        if terminalCount > 1 { fail("ended twice") }
        if machine.channelState != .ended { fail("ended while \(machine.channelState)") }
        if case .failed(let failure) = end {
            if isCloseCalled { fail("a failure after close()") }
            if world.scenario.profile.isHarmless { fail("failed without a cause: \(failure)") }
            if let text = policy.violation(in: failure, machine.settings, at: now) { fail(text) }
            examineProof(machine)
        } else if !isCloseCalled {
            fail("closed by nobody")
        }
    }

    /// A channel that failed has delivered everything until the time at which it says that the loss began.
    private func examineProof(_ machine: ChannelMachine) {
        guard let until = machine.deliveredUntil else { return }
        // A clock that was set since shows another time; the other one did not run while the host was asleep.
        let clock = world.hosts[host].clock
        let time = min(clock.time(of: until.wall), clock.time(of: until.instant))
        for topicIndex in cursors.indices {
            let end = world.publications.copies[topicIndex].partitioningIndex { $0.time > time }
            note(topicIndex, min(cursors[topicIndex], end)..<end)
        }
        if let text = unexplained(until: time) { fail("\(text), and the loss began later") }
    }

    /// After the quiet phase a host that did not end is live, has its topics, and misses nothing outside a gap.
    func settled(_ host: SimulatedHost) {
        let machine = host.machine
        let horizon = terminalCount > 0 || isCloseCalled ? lastLiveRead - .seconds(60) : world.time - .seconds(5)
        for topicIndex in cursors.indices {
            let copies = world.publications.copies[topicIndex]
            let end = copies.partitioningIndex { $0.time >= horizon }
            note(topicIndex, min(cursors[topicIndex], end)..<end)
        }
        guard terminalCount == 0, !isCloseCalled else { return }
        guard machine.state == .live else { return fail("not live in the end: \(machine.state)") }
        reckon(machine, patience: 0)
        guard !world.scenario.sharesChannel else { return }
        let target = host.targets[Int(machine.endpoint.rawValue)]
        let topics = try? world.service.subscriptions(of: String(target.dropFirst("/channels/".count)))
        if Set(topics ?? []) != Set(machine.subscriptions.wanted) {
            fail("wants \(machine.subscriptions.wanted), has \(topics ?? [])")
        }
    }

    func finished(_ host: SimulatedHost) {
        if terminalCount != 1 { fail("\(terminalCount) terminal calls, \(host.machine.state)") }
        if !host.links.isEmpty { fail("links are left") }
    }
}
