import GenesysSimulator

@testable import GenesysLoop
@testable import GenesysPlatform

/// One run: an OAuth client's account, programs with channels that are made over REST, the service, other processes,
/// and time that jumps from event to event.
///
/// Both machines of the account and the machine of each channel are the real ones. Due events are searched in a fixed
/// order, so that a seed decides everything.
final class AccountWorld {
    /// Something that is under way.
    enum Transit {
        case request(RequestID, SimulatedService.RESTRequest)
        case answer(RequestID, SimulatedService.RESTAnswer)
        case lost(RequestID, isSent: Bool)
        /// The host gives a token.
        case token(RequestID)
        case incident(AccountIncident)
    }

    /// A request under way.
    struct Flight {
        let call: RESTCall
        var token: Token?
    }

    /// An action that is to be performed.
    private enum Step {
        case account(RESTMachine.Action)
        case program(Int, ProvisionedChannelMachine.Action)
    }

    let scenario: AccountScenario
    private(set) var time: VirtualTime = 0
    var service: SimulatedService
    var rest: RESTMachine
    var programs: [AccountProgram] = []
    /// What the programs are the shards of; nil if they have nothing to do with each other.
    private(set) var group: AccountGroup?
    var links: [NetworkLink] = []
    var sockets: [SimulatedService.SocketID: NetworkLink] = [:]
    var random: SplitMix64
    var publications = Publications(hasRepeats: false)
    var audit = AccountAudit()
    let clock = HostClock()
    private(set) var violation: String?
    private(set) var transcript: [String] = []
    let isRecording: Bool

    var refusesUntil: VirtualTime = 0
    var unreachableUntil: VirtualTime = 0
    /// The requests that were sent and not abandoned.
    var flights: [RequestID: Flight] = [:]
    private var transits: [(time: VirtualTime, transit: Transit)] = []
    private var steps: [Step] = []
    private var isDraining = false
    private var scriptIndex = 0
    private var serviceDue: VirtualTime = .never
    private var accountDue: VirtualTime = .never
    private(set) var stepCount = 0

    init(_ scenario: AccountScenario, isRecording: Bool = false) {
        self.scenario = scenario
        self.isRecording = isRecording
        random = SplitMix64(seed: scenario.seed &* 0xD129_0B2A_77EE_0331 &+ 7)
        service = SimulatedService(configuration: scenario.service, seed: scenario.seed)
        rest = RESTMachine(source: scenario.source, seed: scenario.seed &+ 3)
        for index in scenario.topics.indices {
            programs.append(AccountProgram(index: index, world: self))
        }
        if scenario.isGroup { group = AccountGroup(self) }
    }

    var now: ClockReading { clock.moment(at: time) }
    var serviceTime: Duration { .nanoseconds(time) }
    /// Before the quiet phase, in which everything must settle.
    var isEventful: Bool { time < scenario.length }
    /// Programs that are not over.
    var liveCount: Int { programs.count { !$0.isOver } }

    func run() {
        note("\(scenario.profile), \(scenario.topics), \(scenario.source)")
        audit.hides(scenario.service.tokens.clientSecret)
        start()
        runUntil(scenario.length)
        befall(.normal)
        runUntil(scenario.length + AccountScenario.settling)
        for program in programs { program.auditor.settled(program) }
        if let group { group.close() } else { for program in programs { program.close() } }
        runUntil(time + .seconds(30))
        for program in programs { program.auditor.finished(program) }
        audit.finished(self)
        for program in programs { program.tearDown() }
        links = []
    }

    private func start() {
        if scenario.strangerCount > 0 { befall(.strangers(scenario.strangerCount)) }
        if let isGood = scenario.restored {
            let token = mintElsewhere()
            if !isGood { carry(service.expireTokens(now: serviceTime)) }
            rest.restore(token.value, lifetime: token.lifetime, now: now.instant)
        }
        if let group { group.open() } else { for program in programs { program.open() } }
        group?.collect()
    }

    private func runUntil(_ end: VirtualTime) {
        while violation == nil, step(before: end) {}
        if violation == nil { time = end }
    }

    // MARK: - What is due

    private enum Due { case script, transit(Int), service, publication, link(Int), account, program(Int), group }

    private func step(before end: VirtualTime) -> Bool {
        var earliest = end
        var due: Due?
        func consider(_ time: VirtualTime, _ what: @autoclosure () -> Due) {
            guard time < earliest else { return }
            earliest = time
            due = what()
        }
        if scriptIndex < scenario.script.count { consider(scenario.script[scriptIndex].time, .script) }
        for index in transits.indices { consider(transits[index].time, .transit(index)) }
        consider(serviceDue, .service)
        if publications.due < scenario.length + .seconds(120) { consider(publications.due, .publication) }
        for index in links.indices { consider(links[index].up.first?.arrival ?? .never, .link(index)) }
        consider(accountDue, .account)
        for index in programs.indices { consider(programs[index].wakesAt, .program(index)) }
        if let group { consider(group.wakesAt, .group) }
        guard let due else { return false }
        if earliest <= time { restlessCount += 1 } else { restlessCount = 0 }
        if restlessCount > 10_000 { fail("the loop spins") }
        time = max(time, earliest)
        stepCount += 1
        perform(due)
        group?.collect()
        return true
    }

    private var restlessCount = 0

    private func perform(_ due: Due) {
        switch due {
        case .script:
            scriptIndex += 1
            befall(scenario.script[scriptIndex - 1].incident)
        case .transit(let index):
            arrive(transits.remove(at: index).transit)
        case .service:
            carry(service.deadlineReached(now: serviceTime))
        case .publication:
            publish()
        case .link(let index):
            arrive(links[index].up.removeFirst(), on: links[index])
        case .account:
            account { $0.deadlineReached(now: now.instant) }
        case .program(let index):
            programs[index].wake()
        case .group:
            group?.wake()
        }
    }

    func plan(_ transit: Transit, at time: VirtualTime) { transits.append((time, transit)) }

    private func publish() {
        let publication = publications.next(scenario.interval, &random)
        var promisedTo: UInt32 = 0
        let isForbidden = service.configuration.channels.forbiddenTopics.contains(publication.topic)
        for program in programs where !isForbidden && program.auditor.isPromised(publication.topicIndex) {
            promisedTo |= 1 << UInt32(program.index)
        }
        publications.record(publication, at: time, promisedTo: promisedTo)
        note("publishes \(publication.number) on \(publication.topic)")
        carry(service.publish(publication.message, to: publication.topic, now: serviceTime))
    }

    // MARK: - The two machines of REST

    /// Gives the account's machine an input, and performs what it answers.
    func account(_ input: (inout RESTMachine) -> [RESTMachine.Action]) {
        steps += input(&rest).map(Step.account)
        accountDue = rest.nextDeadline.map { clock.time(of: $0) } ?? .never
        drain()
    }

    /// Performs what a program's machine answered.
    func perform(_ actions: [ProvisionedChannelMachine.Action], of program: Int) {
        steps += actions.map { Step.program(program, $0) }
        drain()
    }

    private func drain() {
        guard !isDraining else { return }
        isDraining = true
        var index = 0
        while index < steps.count {
            switch steps[index] {
            case .account(let action): perform(action)
            case .program(let program, let action): programs[program].perform(action)
            }
            index += 1
        }
        steps.removeAll(keepingCapacity: true)
        isDraining = false
    }

    private func perform(_ action: RESTMachine.Action) {
        note("account: \(action)")
        audit.willPerform(action, self)
        switch action {
        case .send(let request, let call, let token):
            send(request, call, token)
        case .cancel(let request):
            flights[request] = nil
        case .ask(let request, _):
            flights[request] = Flight(call: .mintToken)
            plan(.token(request), at: time + random.time(0.001...2))
        case .keep, .tell:
            break
        case .answer(let call, let reply):
            let program = Int(call.rawValue >> 32)
            programs[program].answered(call, reply)
        case .tokenChanged(let token):
            for program in programs where program.isOpened && !program.isOver { program.tokenChanged(token) }
        }
    }

    // MARK: - Words

    func note(_ text: @autoclosure () -> String) {
        guard isRecording else { return }
        transcript.append("\(time.text) \(text())")
    }

    func fail(_ text: @autoclosure () -> String) {
        guard violation == nil else { return }
        violation = "at \(time.text) s: \(text())"
        note("VIOLATION \(violation ?? "")")
    }

    /// Performs the service's actions and schedules its next deadline.
    func carry(_ actions: [SimulatedService.Action]) {
        for action in actions { carry(action) }
        serviceDue = service.nextDeadline.map { max(time, Instant(sinceOrigin: $0).nanoseconds) } ?? .never
    }
}
