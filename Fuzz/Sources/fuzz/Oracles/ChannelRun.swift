import GenesysLoop

/// A channel's machine with its driver, its clock and its held messages.
struct ChannelRun {
    private(set) var machine: ChannelMachine
    private(set) var driver = ChannelDriver()
    private var now = ClockReading(
        instant: Instant(nanoseconds: 1_000_000_000_000), wall: WallTime(seconds: 1_700_000_000))
    /// Messages kept by the driver, by link.
    private var held: [LinkID: [UInt64]] = [:]
    private var nextEndpoint: UInt32 = 1
    /// The longest wait that the service or the settings ask for.
    private var longestWait: Duration

    private static let messageByteCount = 100

    init(_ source: inout FuzzInput) {
        var settings = ChannelSettings()
        let flags = source.byte()
        settings.reconnect = [.never, .once, .backoff(.init()), .backoff(.init())][Int(flags & 3)]
        settings.rollover = flags & 4 == 0 ? .automatic : .manual
        settings.extendsLifetime = flags & 8 == 0
        settings.lifetime = flags & 16 == 0 ? .seconds(20 + source.number(below: 600)) : .seconds(23 * 3600)
        settings.rolloverJitter = .seconds(source.number(below: 3))
        settings.maxHeldByteCount = 5 * Self.messageByteCount
        longestWait = max(settings.lifetime, .seconds(120))
        let topics: [Topic] = flags & 32 == 0 ? ["v2.a", "v2.b"] : []
        machine = ChannelMachine(topics: topics, settings: settings, seed: UInt64(source.byte()))
    }

    mutating func step(_ source: inout FuzzInput) {
        switch source.byte() % 20 {
        case 0, 1: open(source.element(of: candidates))
        case 2, 3, 4: answer(&source)
        case 5: end(&source)
        case 6, 7: pass(.milliseconds(source.number(below: 12_000)))
        case 8: wakeLate(&source)
        case 9, 10: message(&source)
        case 11: speak(&source)
        case 12: heard(source.element(of: candidates))
        case 13: take(machine.topicsChanged(to: topics(&source), now: now))
        case 14: take(machine.pauseRequested(now: now))
        case 15, 16: take(machine.resumeRequested(now: now))
        case 17:
            // The same endpoint again, sometimes.
            take(machine.rolloverRequested(to: EndpointID(rawValue: nextEndpoint), now: now))
            if source.flag() { nextEndpoint += 1 }
        case 18:
            guard source.number(below: 8) == 0 else { break }
            driver.isClosed = true
            take(machine.closeRequested(now: now))
        default: take(machine.openRequested(now: now))
        }
    }

    /// In any state, `close()` ends the channel within its timeout.
    mutating func finishUp() {
        guard !driver.isFinished else { return }
        driver.isClosed = true
        take(machine.closeRequested(now: now))
        pass(machine.settings.closeTimeout)
        if !driver.isFinished { driver.complain("close() did not end it") }
    }

    // MARK: - Actions

    /// Performs actions in order; held messages are delivered when an action asks for it.
    private mutating func take(_ actions: [ChannelMachine.Action]) {
        for action in actions {
            driver.perform(action)
            if case .releaseHeld(let link) = action { release(link) }
            if case .finish(.failed) = action, held.values.contains(where: { !$0.isEmpty }) {
                driver.complain("messages that were held are lost")
            }
        }
    }

    private mutating func release(_ link: LinkID) {
        for fingerprint in held.removeValue(forKey: link) ?? [] {
            let verdict = machine.heldNotificationReleased(from: link, fingerprint: fingerprint)
            if verdict == .hold { driver.complain("held twice") }
            if driver.isClosed, verdict != .ignore { driver.complain("delivered after close()") }
        }
    }

    /// An input of a link that is gone, or never existed, must have no effect.
    private mutating func take(_ actions: [ChannelMachine.Action], of link: LinkID) {
        if !driver.alive.contains(link), !actions.isEmpty { driver.complain("a dead link causes \(actions)") }
        take(actions)
    }

    // MARK: - Links

    /// Links to choose from: the live ones first, then one that is gone, and one that never existed.
    private var candidates: [LinkID] {
        let alive = driver.alive.sorted { $0.rawValue < $1.rawValue }
        let gone = driver.known.last { !driver.alive.contains($0) }
        return alive + alive.reversed() + alive + [gone ?? LinkID(rawValue: 7_777)]
    }

    private func canSpeak(_ link: LinkID) -> Bool {
        !driver.alive.contains(link) || (driver.opened.contains(link) && !driver.unread.contains(link))
    }

    private mutating func open(_ link: LinkID) {
        if driver.alive.contains(link), !driver.opened.insert(link).inserted { return }
        let actions = machine.linkOpened(link, now: now)
        take(actions, of: link)
    }

    private mutating func heard(_ link: LinkID) {
        if canSpeak(link) { machine.bytesReceived(on: link, now: now) }
    }

    private static func end(_ reason: FailureReason, _ phase: ChannelFailure.Phase) -> LinkEnd {
        LinkEnd(failure: ChannelFailure(reason: reason, phase: phase))
    }

    private mutating func end(_ source: inout FuzzInput) {
        let link = source.element(of: candidates)
        var end: LinkEnd
        if driver.opened.contains(link) {
            end = Self.end(source.element(of: [.connectionClosed, .protocolViolation, .messageTooLarge]), .open)
            if source.flag() {
                end.closeCode = source.element(of: [1000, 1001, 1005, 1008, 1011, 1012, 1013, 4_321])
            }
        } else {
            let ends: [(FailureReason, ChannelFailure.Phase)] = [
                (.connect, .connect), (.dns, .dns), (.tlsHandshake, .tls), (.httpNotFound, .upgrade),
                (.httpUnauthorized, .upgrade), (.invalidStatusCode, .upgrade), (.httpTooManyRequests, .upgrade),
            ]
            let (reason, phase) = source.element(of: ends)
            end = Self.end(reason, phase)
            if reason == .invalidStatusCode { end.failure.status = 503 }
            if reason == .httpTooManyRequests {
                let delay = Duration.seconds(source.number(below: 1_000))
                end.failure.retryAfter = delay
                longestWait = max(longestWait, delay)
            }
        }
        let wasAlive = driver.alive.contains(link)
        driver.ended(link)
        let actions = machine.linkEnded(link, end, now: now)
        if !wasAlive, !actions.isEmpty { driver.complain("a dead link causes \(actions)") }
        take(actions)
    }

    // MARK: - The service

    private mutating func answer(_ source: inout FuzzInput) {
        let link = source.element(of: candidates)
        guard canSpeak(link) else { return }
        let records = [machine.current, machine.candidate].compactMap(\.self)
        let pending = records.first { $0.id == link }?.pending ?? []
        let choice = source.byte()
        var reply = CommandReply(status: 200, statusText: "subscribed")
        switch choice % 8 {
        case 0: reply.correlationID = nil
        case 1: reply.correlationID = "nobody's"
        default: reply.correlationID = pending.isEmpty ? "nobody's" : pending[Int(choice) % pending.count].correlationID
        }
        if choice >= 200 {
            reply.status = [400, 401, 403, 404, 429, 500][Int(choice) % 6]
            reply.statusText = "failure"
        }
        machine.bytesReceived(on: link, now: now)
        let actions = machine.replyReceived(reply, on: link, now: now)
        take(actions, of: link)
    }

    private mutating func speak(_ source: inout FuzzInput) {
        let link = source.element(of: candidates)
        guard canSpeak(link) else { return }
        machine.bytesReceived(on: link, now: now)
        let topics: [SystemTopic?] = [
            nil, nil, .duplicateID, .noLongerSubscribed, .subscriptionChanged, .tokenRevoked, .unknown,
        ]
        let number = source.number(below: topics.count + 1)
        guard number < topics.count else { return machine.pongReceived(on: link, now: now) }
        guard let topic = topics[number] else {
            let actions = machine.socketClosingReceived(on: link, now: now)
            return take(actions, of: link)
        }
        let actions = machine.systemMessageReceived(topic, on: link, message: "words", now: now)
        take(actions, of: link)
    }

    private mutating func message(_ source: inout FuzzInput) {
        let link = source.element(of: candidates)
        guard canSpeak(link) else { return }
        let fingerprint = UInt64(source.byte() % 4)
        let isOverlap = machine.wantsFingerprints
        machine.bytesReceived(on: link, now: now)
        switch machine.notificationReceived(on: link, fingerprint: fingerprint, byteCount: Self.messageByteCount) {
        case .deliver:
            if driver.isClosed || driver.isFinished { driver.complain("delivered after close()") }
            if !driver.alive.contains(link) { driver.complain("delivered for a dead link") }
        case .hold:
            held[link, default: []].append(fingerprint)
            if !machine.isHolding(link) { driver.complain("held without need") }
            let byteCount = held.values.reduce(0) { $0 + $1.count } * Self.messageByteCount
            if byteCount > machine.settings.maxHeldByteCount { driver.complain("\(byteCount) bytes are held") }
        case .ignore:
            // Outside an overlap nothing is a duplicate.
            if driver.alive.contains(link), !driver.isClosed, !isOverlap { driver.complain("a message is lost") }
        }
    }

    private func topics(_ source: inout FuzzInput) -> [Topic] {
        let choice = source.byte()
        let all: [Topic] = ["v2.a", "v2.b", "v2.c", "v2.d"]
        return all.indices.filter { choice >> $0 & 1 == 1 }.map { all[$0] }
    }

    // MARK: - Time

    private mutating func pass(_ duration: Duration) {
        let end = now + duration
        var turnCount = 0
        while let deadline = machine.nextDeadline, deadline <= end.instant, !driver.isFinished {
            now = now + max(.zero, deadline - now.instant)
            fire()
            turnCount += 1
            guard turnCount < 500 else { return driver.complain("the timer never rests") }
        }
        if end.instant > now.instant { now = end }
    }

    /// The loop was blocked, or the host slept.
    private mutating func wakeLate(_ source: inout FuzzInput) {
        now = now + .seconds(1 + source.number(below: 100))
        if source.number(below: 4) == 0 { now.wall = now.wall + .seconds(3_600) }
        fire()
    }

    private mutating func fire() {
        // The effects of one turn may be due at once, but they must settle.
        for _ in 0..<4 {
            take(machine.deadlineReached(now: now))
            guard let next = machine.nextDeadline, next <= now.instant else { return }
        }
        driver.complain("the timer spins")
    }

    // MARK: - What always holds

    mutating func examine() -> String? {
        if let complaint = driver.complaint { return complaint }
        if let next = machine.nextDeadline, next - now.instant > longestWait { return "nothing happens until \(next)" }
        if driver.isFinished { return machine.state == .ended && machine.nextDeadline == nil ? nil : "it goes on" }
        let records = [machine.current, machine.candidate].compactMap(\.self)
        guard Set(records.map(\.id)) == driver.alive else { return "alive are \(driver.alive), known \(records)" }
        for record in records where (record.openedAt != nil) != driver.opened.contains(record.id) {
            return "\(record.id) is open, or is not"
        }
        return countComplaint ?? readingComplaint
    }

    private var countComplaint: String? {
        let links = (machine.current != nil, machine.candidate != nil)
        switch machine.state {
        case .idle, .waiting, .ended: return links == (false, false) ? nil : "links without use"
        case .attempting, .handedOver: return links == (false, true) ? nil : "not one candidate alone"
        case .live: return links == (true, false) ? nil : "not one current link alone"
        case .rollingOver, .draining: return links == (true, true) ? nil : "not two links"
        case .closing: return links == (false, false) ? "nothing to close" : nil
        }
    }

    /// Reading stops only while the host paused, or while the predecessor is read to the end.
    private var readingComplaint: String? {
        for link in driver.alive.intersection(driver.opened) {
            let isExpected: Bool
            switch machine.state {
            case .closing: isExpected = false
            case .draining: isExpected = machine.isPaused || link == machine.candidate?.id
            case .idle, .waiting, .attempting, .live, .rollingOver, .handedOver, .ended: isExpected = machine.isPaused
            }
            if driver.unread.contains(link) != isExpected { return "\(link) is \(isExpected ? "read" : "not read")" }
        }
        return nil
    }
}
