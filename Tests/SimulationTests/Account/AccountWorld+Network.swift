import GenesysSimulator

@testable import GenesysLoop
@testable import GenesysPlatform

/// The network of an account: WebSocket connections and REST requests.
extension AccountWorld {
    /// The deadline of a REST call.
    static let callDeadline: VirtualTime = .seconds(30)

    func latency() -> VirtualTime { .milliseconds(random.within(scenario.latency)) }

    // MARK: - REST

    func send(_ request: RequestID, _ call: RESTCall, _ token: Token?) {
        flights[request] = Flight(call: call, token: token)
        guard time >= unreachableUntil else {
            return plan(.lost(request, isSent: false), at: time + random.time(0.001...10))
        }
        var wire = SimulatedService.RESTRequest(call.method, call.target, body: call.body ?? [])
        wire.contentType = call.contentType
        wire.authorization = token.map { "Bearer \($0.value.text)" } ?? credentials
        // The connection takes some round trips.
        plan(.request(request, wire), at: time + 3 * latency())
    }

    func arrive(_ transit: Transit) {
        switch transit {
        case .request(let id, let request):
            serve(id, request)
        case .answer(let id, let answer):
            guard let flight = flights.removeValue(forKey: id) else { return }
            let read = RESTAnswer(answer, date: serviceClock)
            audit.answered(flight, read, self)
            let outcome = flight.call.outcome(of: read, hiding: secrets(of: flight))
            account { $0.answered(id, outcome, rate: read.rate, now: now.instant) }
        case .lost(let id, let isSent):
            guard let call = flights.removeValue(forKey: id)?.call else { return }
            note("the answer to \(call) is lost")
            let reason: FailureReason = isSent ? .connectionClosed : .connect
            let failure = ChannelFailure(reason: reason, phase: call.phase, isRetryable: true)
            let lost = RESTFailure(.transport, failure, mayHaveActed: isSent && call.isCreation)
            account { $0.answered(id, .failure(lost), now: now.instant) }
        case .token(let id):
            guard flights.removeValue(forKey: id) != nil else { return }
            account { $0.answered(id, hostToken(), now: now.instant) }
        case .incident(let incident):
            befall(incident)
        }
    }

    private func serve(_ id: RequestID, _ request: SimulatedService.RESTRequest) {
        let before = Set(service.channelIDs)
        var answer = service.restRequested(
            request, socketBase: "wss://service", wall: serviceClock, now: serviceTime)
        note("service: \(request) answered with \(answer.status) \(answer.delivery)")
        let isHeard = flights[id] != nil && answer.status == 200 && answer.delivery == .whole
        audit.served(request, before: before, isHeard: isHeard, self)
        if scenario.echoes, answer.status >= 400 { answer.repeats(request) }
        carry([])
        let arrival = time + Instant(sinceOrigin: answer.delay).nanoseconds + latency()
        let deadline = time + AccountWorld.callDeadline
        switch answer.delivery {
        case .whole where arrival < deadline, .wholeThenClose where arrival < deadline:
            plan(.answer(id, answer), at: arrival)
        case .half, .close, .reset:
            plan(.lost(id, isSent: true), at: min(arrival, deadline))
        case .never, .whole, .wholeThenClose:
            plan(.lost(id, isSent: true), at: deadline)
        }
    }

    private var credentials: String {
        let client = scenario.service.tokens
        return "Basic \(HandshakeKey.base64(Array("\(client.clientID):\(client.clientSecret)".utf8)))"
    }

    /// What no failure may repeat, as the driver of a call gives it.
    private func secrets(of flight: Flight) -> [SecretBytes] {
        var secrets = [SecretBytes(scenario.service.tokens.clientSecret), SecretBytes(credentials)]
        if let token = flight.token { secrets.append(token.value) }
        if let id = flight.call.channel { secrets.append(id) }
        return secrets
    }

    /// The clock of the service.
    var serviceClock: WallTime { clock.moment(at: time + scenario.clockDifference).wall }

    /// Another process gets a token.
    func mintElsewhere() -> (value: SecretBytes, lifetime: Duration?) {
        var request = SimulatedService.RESTRequest(
            "POST", "/oauth/token", body: Array("grant_type=client_credentials".utf8))
        request.contentType = "application/x-www-form-urlencoded"
        request.authorization = credentials
        let answer = service.restRequested(request, socketBase: "wss://service", wall: serviceClock, now: serviceTime)
        carry([])
        guard
            case .success(.token(let value, let lifetime)) = RESTCall.mintToken.outcome(
                of: RESTAnswer(answer, date: serviceClock), hiding: [])
        else { return (SecretBytes("refused at \(time)"), .seconds(1)) }
        return (value, lifetime)
    }

    private func hostToken() -> Result<RESTValue, RESTFailure> {
        if isEventful, !scenario.profile.isHarmless, random.oneIn(30) { return .failure(.noToken("the host has none")) }
        let token = mintElsewhere()
        return .success(.token(token.value, lifetime: scenario.saysLifetime ? token.lifetime : nil))
    }

    // MARK: - Sockets

    func connect(_ id: LinkID, to target: String, from channel: SimulatedChannel) -> NetworkLink {
        let link = NetworkLink(
            id: id, host: channel.program, target: target,
            latency: programs[channel.program].latency * VirtualTime(random.within(90...110)) / 100, jitter: 1,
            random: SplitMix64(seed: 1))
        link.deadline = now.instant + .seconds(10)
        links.removeAll { $0.isOver }
        links.append(link)
        if time < refusesUntil {
            let failure = ChannelFailure(reason: .connect, phase: .connect)
            link.sendDown(.end(LinkEnd(failure: failure)), at: time + link.latency)
        } else {
            link.sendUp(.upgrade, at: time, extra: 4 * link.latency)
        }
        return link
    }

    func arrive(_ packet: NetworkLink.Packet<NetworkLink.Up>, on link: NetworkLink) {
        switch packet.content {
        case .upgrade:
            upgrade(link)
        case .text(let bytes):
            guard let socket = link.socket else { return }
            carry(service.textReceived(on: socket, bytes, now: serviceTime))
        case .close:
            end(link)
            link.sendDown(.close(1000), at: time)
        case .gone:
            end(link)
        }
    }

    private func end(_ link: NetworkLink) {
        guard let socket = link.socket else { return }
        sockets[socket] = nil
        service.socketEnded(socket, now: serviceTime)
        carry([])
    }

    private func upgrade(_ link: NetworkLink) {
        let answer = service.upgradeRequested(target: link.target, now: serviceTime)
        note("upgrade of \(link.id.rawValue) of program \(link.host): \(answer)")
        switch answer {
        case .accept(let socket):
            link.socket = socket
            sockets[socket] = link
            // A host cannot see what was sent between the end of the old socket and this one if that looks like a
            // hand-over: see `World`.
            for old in links where old.host == link.host && old.target == link.target {
                guard let closedAt = old.closedAt, time - closedAt <= link.blindSpan(after: old) else { continue }
                programs[link.host].auditor.excuse(from: closedAt, to: time)
            }
            link.sendDown(.accepted, at: time)
        case .refuse(let refusal):
            link.sendDown(.end(LinkEnd(refusal)), at: time)
        case .reset:
            link.sendDown(.end(.broken(link)), at: time)
        case .neverAnswer:
            break
        }
        carry([])
    }

    func carry(_ action: SimulatedService.Action) {
        guard let link = sockets[action.socket] else { return }
        switch action {
        case .send(_, let bytes):
            link.sendDown(.message(bytes), at: time)
        case .sendBinary(_, let bytes):
            link.sendDown(.binary(bytes), at: time)
        case .close(_, let code, _):
            note("the service closes \(link.id.rawValue) of program \(link.host) with \(code)")
            link.closedAt = time
            link.sendDown(.close(code), at: time)
        case .drop:
            link.sendDown(.end(.broken(link)), at: time)
        case .reset:
            link.loseDown(after: time, evenArrived: false)
            link.sendDown(.end(.broken(link)), at: time)
        }
        if action.endsSocket { sockets[action.socket] = nil }
    }

    func cut(_ link: NetworkLink, _ kind: Incident.Cut) {
        guard !link.isDownLost else { return }
        note("cuts \(link.id.rawValue) of program \(link.host): \(kind)")
        link.up.removeAll()
        end(link)
        link.isUpLost = true
        switch kind {
        case .reset: link.loseDown(after: time, evenArrived: false)
        case .resetLosingUnread: link.loseDown(after: time, evenArrived: true)
        case .endOfFile: break
        }
        link.sendDown(.end(.broken(link)), at: time)
        link.isDownLost = true
    }
}

extension SimulatedService.RESTAnswer {
    /// The text of the error shows what was sent.
    fileprivate mutating func repeats(_ request: SimulatedService.RESTRequest) {
        guard !request.target.hasSuffix("token") || status >= 500 else { return }
        let text = "\(request.authorization ?? "") \(request.target)"
        contentType = "application/json"
        body = Array(#"{"message":"rejected: \#(text)","code":"x"}"#.utf8)
    }
}

extension RESTAnswer {
    /// The answer as a driver reads it.
    init(_ answer: SimulatedService.RESTAnswer, date: WallTime) {
        self.init(status: answer.status, body: SecretBytes(copying: answer.body))
        self.date = date
        func number(_ name: String) -> Int? {
            answer.headers.first { $0.name == name }.flatMap { Int($0.value) }
        }
        retryAfter = number("Retry-After").map { .seconds($0) }
        if let count = number("inin-ratelimit-count"), let allowed = number("inin-ratelimit-allowed"),
            let reset = number("inin-ratelimit-reset")
        {
            rate = Rate(count: count, allowed: allowed, reset: .seconds(reset))
        }
    }
}
