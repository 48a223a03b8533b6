import GenesysSimulator

@testable import GenesysLoop

/// One run: a service, some hosts, the network between them, and time that jumps from event to event.
///
/// Due events are searched in a fixed order, so that a seed decides everything.
final class World {
    let scenario: Scenario
    private(set) var time: VirtualTime = 0
    var service: SimulatedService
    var hosts: [SimulatedHost] = []
    var links: [NetworkLink] = []
    var sockets: [SimulatedService.SocketID: NetworkLink] = [:]
    var random: SplitMix64
    var publications = Publications()
    /// The first violation; nothing happens after it.
    private(set) var violation: String?
    /// The whole run in words, if requested.
    private(set) var transcript: [String] = []
    let isRecording: Bool

    /// The end of each disturbance: refused connections, connections without an answer, and so on.
    var refusesUntil: VirtualTime = 0
    var unreachableUntil: [VirtualTime]
    private var planned: [Scenario.Event] = []
    private var scriptIndex = 0
    private var serviceDue: VirtualTime = .never

    init(_ scenario: Scenario, isRecording: Bool = false) {
        self.scenario = scenario
        self.isRecording = isRecording
        random = SplitMix64(seed: scenario.seed &* 0xD129_0B2A_77EE_0331 &+ 5)
        service = SimulatedService(configuration: scenario.service, seed: scenario.seed)
        unreachableUntil = Array(repeating: 0, count: scenario.hostCount)
        var shared: String?
        for index in 0..<scenario.hostCount {
            let target = (scenario.sharesChannel ? shared : nil) ?? makeChannel() ?? ""
            shared = target
            let machine = ChannelMachine(
                topics: scenario.topics[index], settings: scenario.settings[index],
                seed: scenario.seed &* 31 &+ UInt64(index))
            hosts.append(SimulatedHost(index: index, world: self, target: target, machine: machine))
        }
    }

    /// Before the quiet phase, in which all hosts must settle.
    var isEventful: Bool { time < scenario.length }
    var inputCount: Int { hosts.reduce(0) { $0 + $1.inputCount } }
    /// The end of the script and of the quiet phase.
    private var settledAt: VirtualTime { scenario.length + Scenario.settling }

    func run() {
        note(nil, "\(scenario.profile), \(scenario.hostCount) hosts, \(scenario.topics)")
        for host in hosts { host.open() }
        runUntil(scenario.length)
        befall(.normal)
        runUntil(settledAt)
        for host in hosts { host.auditor.settled(host) }
        for host in hosts where !host.isOver { host.close() }
        runUntil(settledAt + .seconds(30))
        for host in hosts { host.auditor.finished(host) }
        for host in hosts { host.links = [] }
    }

    private func runUntil(_ end: VirtualTime) {
        while violation == nil, step(before: end) {}
        if violation == nil { time = end }
    }

    // MARK: - What is due

    private enum Due { case script, plan(Int), service, publication, link(Int), host(Int) }

    /// Performs the next due event; false if there is none before `end`.
    private func step(before end: VirtualTime) -> Bool {
        var earliest = end
        var due: Due?
        func consider(_ time: VirtualTime, _ what: @autoclosure () -> Due) {
            guard time < earliest else { return }
            earliest = time
            due = what()
        }
        if scriptIndex < scenario.script.count { consider(scenario.script[scriptIndex].time, .script) }
        for index in planned.indices { consider(planned[index].time, .plan(index)) }
        consider(serviceDue, .service)
        consider(publications.due, .publication)
        for index in links.indices { consider(links[index].up.first?.arrival ?? .never, .link(index)) }
        for index in hosts.indices { consider(hosts[index].wakesAt, .host(index)) }
        guard let due else { return false }
        time = max(time, earliest)
        perform(due)
        return true
    }

    private func perform(_ due: Due) {
        switch due {
        case .script:
            scriptIndex += 1
            befall(scenario.script[scriptIndex - 1].incident)
        case .plan(let index):
            befall(planned.remove(at: index).incident)
        case .service:
            carry(service.deadlineReached(now: serviceTime))
        case .publication:
            publish()
        case .link(let index):
            arrive(links[index].up.removeFirst(), on: links[index])
        case .host(let index):
            hosts[index].wake()
        }
    }

    func plan(_ incident: Incident, at time: VirtualTime) {
        planned.append(Scenario.Event(time: time, incident: incident))
    }

    // MARK: - The service

    var serviceTime: Duration { .nanoseconds(time) }

    /// Performs the service's actions and schedules its next deadline.
    func carry(_ actions: [SimulatedService.Action]) {
        for action in actions { carry(action) }
        serviceDue = service.nextDeadline.map { max(time, Instant(sinceOrigin: $0).nanoseconds) } ?? .never
    }

    private func carry(_ action: SimulatedService.Action) {
        guard let link = sockets[action.socket] else { return }
        switch action {
        case .send(_, let bytes):
            link.sendDown(.message(bytes), at: time)
        case .sendBinary(_, let bytes):
            link.sendDown(.binary(bytes), at: time)
        case .close(_, let code, _):
            note(nil, "the service closes \(link.id.rawValue) of host \(link.host) with \(code)")
            link.closedAt = time
            link.sendDown(.close(code), at: time)
        case .drop:
            note(nil, "the service drops \(link.id.rawValue) of host \(link.host)")
            link.sendDown(.end(.broken(link)), at: time)
        case .reset:
            link.loseDown(after: time, evenArrived: false)
            link.sendDown(.end(.broken(link)), at: time)
        }
        if action.endsSocket { sockets[action.socket] = nil }
    }

    private func publish() {
        let publication = publications.next(scenario.interval, &random)
        var promisedTo: UInt32 = 0
        for host in hosts where host.auditor.isPromised(publication.topicIndex) {
            promisedTo |= 1 << UInt32(host.index)
        }
        publications.record(publication, at: time, promisedTo: promisedTo)
        note(nil, "publishes \(publication.number) on \(publication.topic)")
        carry(service.publish(publication.message, to: publication.topic, now: serviceTime))
    }

    func makeChannel() -> String? {
        let target = try? service.channelCreated(now: serviceTime).target
        carry([])
        return target
    }

    // MARK: - Words

    func note(_ host: Int?, _ text: @autoclosure () -> String) {
        guard isRecording else { return }
        transcript.append("\(time.text) \(host.map { "host \($0)" } ?? "world"): \(text())")
    }

    func fail(_ host: Int, _ text: @autoclosure () -> String) {
        guard violation == nil else { return }
        violation = "at \(time.text) s, host \(host): \(text())"
        note(host, "VIOLATION \(violation ?? "")")
    }
}

extension LinkEnd {
    /// The end of a connection without a Close frame.
    static func broken(_ link: NetworkLink) -> LinkEnd {
        let phase: ChannelFailure.Phase = link.phase == .connecting ? .upgrade : .open
        return LinkEnd(failure: ChannelFailure(reason: .connectionClosed, phase: phase))
    }
}
