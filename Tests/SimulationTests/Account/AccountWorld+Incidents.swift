@testable import GenesysLoop
@testable import GenesysPlatform
@testable import GenesysSimulator

/// Makes the incidents of an account's script happen.
extension AccountWorld {
    func befall(_ incident: AccountIncident) {
        note("\(incident)")
        let now = serviceTime
        switch incident {
        case .topics(let program, let topics): programs[program].setTopics(topics)
        case .move(let program): programs[program].move()
        case .close(let program): if let group { group.close() } else { programs[program].close() }
        case .cut(let program, let kind):
            if let link = links.first(where: { $0.host == program && $0.phase == .open }) { cut(link, kind) }
        case .refusing(let duration): refusesUntil = time + duration
        case .unreachable(let duration): unreachableUntil = time + duration
        case .maintenance(let lead):
            service.configuration.endings.maintenanceLead = .nanoseconds(lead)
            carry(service.announceMaintenance(.all, now: now))
        case .expireTokens: carry(service.expireTokens(now: now))
        case .revokeTokens: carry(service.revokeToken(.all, now: now))
        case .strangers(let count):
            service.otherProcessStarted(channelCount: count, now: now)
            carry([])
        case .sharer: share()
        case .evict(let program):
            if let id = programs[program].channelID { carry(service.evict(.channel(id), now: now)) }
        case .fault(let fault): service.install(fault)
        case .forbidden, .upgrades, .client, .rates, .normal: configure(incident)
        }
    }

    private func configure(_ incident: AccountIncident) {
        var duration: VirtualTime?
        switch incident {
        case .forbidden(let topics):
            service.configuration.channels.forbiddenTopics = topics
            // What is forbidden is not delivered from now on.
            service.rosterIsStale = true
        case .upgrades(let answer, let length):
            service.configuration.channels.upgrade = answer
            duration = length
        case .client(let state, let length):
            service.configuration.tokens.clientState = state
            carry([])
            duration = length
        case .rates(let perMinute, let retryAfter, let length):
            service.configuration.rates.requestsPerMinute = perMinute
            service.configuration.rates.retryAfter = retryAfter
            duration = length
        default:
            service.configuration.channels.upgrade = .honest
            service.configuration.tokens.clientState = .active
            service.configuration.rates = scenario.service.rates
            guard !isEventful else { break }
            refusesUntil = 0
            unreachableUntil = 0
            service.faults = []
        }
        if let duration { plan(.incident(.normal), at: time + duration) }
    }

    /// Another process has our token, and makes a channel with it while we make none.
    private func share() {
        guard scenario.source != .client(isExclusive: true), let token = rest.tokens.current else { return }
        guard !programs.contains(where: { $0.machine.provisioning != nil }) else {
            return plan(.incident(.sharer), at: time + .seconds(10))
        }
        var request = SimulatedService.RESTRequest("POST", RESTCall.createChannel.target)
        request.authorization = "Bearer \(token.value.text)"
        _ = service.restRequested(request, socketBase: "wss://service", wall: serviceClock, now: serviceTime)
        carry([])
    }
}
