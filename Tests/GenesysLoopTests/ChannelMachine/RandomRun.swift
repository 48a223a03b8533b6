@testable import GenesysLoop

/// A host, a service and a loop that act at random times, from one seed.
///
/// Their actions are legal for a driver: a link opens and ends once, a dropped link reports nothing, and the service
/// usually answers commands.
struct RandomRun {
    let seed: UInt64
    var stage: Stage
    var random: SplitMix64
    var opened: Set<LinkID> = []
    private(set) var complaints: [String] = []
    private(set) var visited: Set<StateName> = []
    private var nextEndpoint: UInt32 = 1

    init(seed: UInt64) {
        self.seed = seed
        random = SplitMix64(seed: seed)
        var random = random
        stage = Stage(topics: seed % 5 == 0 ? [] : ["v2.a", "v2.b"], seed: seed) { settings in
            settings.reconnect = [.never, .once, .backoff(.init()), .backoff(.init())].randomElement(using: &random)!
            settings.rollover = Bool.random(using: &random) ? .automatic : .manual
            settings.extendsLifetime = Bool.random(using: &random)
            settings.lifetime = .seconds(Int.random(in: 20...600, using: &random))
            settings.rolloverJitter = .seconds(Int.random(in: 0...2, using: &random))
            settings.maxHeldByteCount = 500
        }
        self.random = random
    }

    mutating func run(inputs: Int) {
        if !chance(20) { stage.open() }
        for _ in 0..<inputs where !stage.ledger.isFinished {
            step()
            examine()
        }
        finishUp()
    }

    /// `close()` always ends the run within its time-out.
    private mutating func finishUp() {
        if !stage.ledger.isFinished {
            stage.close()
            passTime(stage.machine.settings.closeTimeout)
        }
        examine()
        if !stage.ledger.isFinished { complain("close() did not end it") }
        if !stage.ledger.alive.isEmpty { complain("links are left") }
        if stage.machine.state != .ended { complain("it did not end") }
    }

    private mutating func complain(_ text: String) {
        complaints.append("seed \(seed), \(stage.machine.state): \(text)")
    }

    private mutating func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &random) == 0 }

    // MARK: - Steps

    private mutating func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<22: somethingOpens()
        case 22..<47: serviceAnswers()
        case 47..<55: linkEnds()
        case 55..<70: passTime(.milliseconds(Int.random(in: 0...12_000, using: &random)))
        case 70..<72: lateTimer()
        case 72..<82: serviceSpeaks()
        case 82..<94: messageArrives()
        default: hostActs()
        }
    }

    private mutating func anyLink() -> LinkID {
        if chance(30) { return .stranger }
        return stage.ledger.alive.sorted { $0.rawValue < $1.rawValue }.randomElement(using: &random) ?? .stranger
    }

    private mutating func somethingOpens() {
        let link = stage.ledger.alive.filter { !opened.contains($0) }.min { $0.rawValue < $1.rawValue }
        guard let link else { return }
        opened.insert(link)
        stage.opened(link)
    }

    private mutating func serviceAnswers() {
        let link = anyLink()
        guard opened.contains(link), !isUnread(link) else { return }
        if chance(12) {
            stage.refuse(link, [400, 401, 403, 404, 429, 500].randomElement(using: &random)!)
        } else {
            stage.accept(link)
        }
    }

    private mutating func linkEnds() {
        let link = anyLink()
        let end: LinkEnd =
            if opened.contains(link) {
                [.reset, .closed(1000), .closed(1001), .closed(1012), .failure(.messageTooLarge, .open)]
                    .randomElement(using: &random)!
            } else {
                [.refused, .refused, .status(503), .status(429, retryAfter: .seconds(3)), .status(404)]
                    .randomElement(using: &random)!
            }
        stage.ended(link, end)
    }

    private mutating func serviceSpeaks() {
        let link = anyLink()
        guard !isUnread(link) else { return }
        switch Int.random(in: 0..<12, using: &random) {
        case 0..<4: stage.socketClosing(link)
        case 4: stage.system(.duplicateID, link)
        case 5: stage.system(.noLongerSubscribed, link)
        case 6: stage.system(.subscriptionChanged, link)
        case 7: stage.system(chance(5) ? .tokenRevoked : .unknown, link)
        case 8: stage.machine.pongReceived(on: link, now: stage.now)
        default: stage.heard(link)
        }
    }

    private mutating func messageArrives() {
        let link = anyLink()
        guard !isUnread(link) else { return }
        stage.heard(link)
        let verdict = stage.message(link, UInt64.random(in: 0..<4, using: &random))
        if stage.ledger.isClosed, verdict != .ignore { complain("delivered after close()") }
        if !stage.ledger.alive.contains(link), verdict != .ignore { complain("delivered for a dead link") }
        if chance(3) { _ = stage.released(link, 1) }
    }

    private mutating func hostActs() {
        switch Int.random(in: 0..<60, using: &random) {
        case 0: stage.close()
        case 1..<15: stage.pause()
        case 15..<30: stage.resume()
        case 30..<36:
            stage.rollover(to: EndpointID(rawValue: nextEndpoint))
            nextEndpoint += 1
        case 36..<38: stage.setTopics([])
        case 38..<50: stage.setTopics(["v2.a", "v2.c", "v2.d"].shuffled(using: &random))
        default: stage.open()
        }
    }

    /// A paused link delivers nothing.
    private func isUnread(_ link: LinkID) -> Bool {
        if case .draining = stage.machine.state, stage.machine.candidate?.id == link { return true }
        return stage.machine.isPaused
    }

    // MARK: - Time

    private mutating func passTime(_ duration: Duration) {
        let end = stage.now + duration
        var turns = 0
        while let deadline = stage.machine.nextDeadline, deadline <= end.instant, !stage.ledger.isFinished {
            stage.block(max(.zero, deadline - stage.now.instant))
            fire()
            turns += 1
            guard turns < 500 else { return complain("the timer never rests") }
        }
        if end.instant > stage.now.instant { stage.now = end }
    }

    private mutating func lateTimer() {
        stage.block(.seconds(Int.random(in: 1...100, using: &random)))
        if chance(4) { stage.now.wall = stage.now.wall + .seconds(3600) }
        fire()
    }

    private mutating func fire() {
        // The results of one turn may be due at once, but this must stop.
        for _ in 0..<4 {
            stage.take(stage.machine.deadlineReached(now: stage.now))
            guard let next = stage.machine.nextDeadline, next <= stage.now.instant else { return }
        }
        complain("the timer spins")
    }

    // MARK: - Invariants

    private mutating func examine() {
        let machine = stage.machine
        visited.insert(StateName(machine.state))
        for text in stage.ledger.complaints { complain(text) }
        let records = [machine.current, machine.candidate].compactMap(\.self)
        if !stage.ledger.isFinished, Set(records.map(\.id)) != stage.ledger.alive {
            complain("the machine knows \(records.map(\.id)), alive are \(stage.ledger.alive)")
        }
        for attempt in stage.log.attempts where !isWithinPolicy(attempt) { complain("a delay of \(attempt.delay)") }
        stage.log = []
        if let text = contradiction { complain(text) }
    }

    private func isWithinPolicy(_ attempt: ReconnectAttempt) -> Bool {
        // An attempt in progress needs no delay.
        if attempt.delay == .zero { return true }
        let most = max(.seconds(90), attempt.failure.retryAfter ?? .zero)
        return attempt.delay >= .milliseconds(100) && attempt.delay <= most
    }

    /// What the parts of the machine must always agree on.
    private var contradiction: String? {
        let machine = stage.machine
        let links = (machine.current != nil, machine.candidate != nil)
        switch machine.state {
        case .idle, .waiting, .ended: return links == (false, false) ? nil : "links without use"
        case .attempting, .handedOver: return links == (false, true) ? nil : "not one candidate alone"
        case .live: return links == (true, false) ? nil : "not one current link alone"
        case .rollingOver, .draining: return links == (true, true) ? nil : "not two links"
        case .closing: return links == (false, false) ? "nothing to close" : nil
        }
    }
}
