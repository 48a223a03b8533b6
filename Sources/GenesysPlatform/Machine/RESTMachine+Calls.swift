package import GenesysLoop

/// The way of one call: its token, its turn, its answer.
extension RESTMachine {
    /// The driver, or the host, answered a request.
    ///
    /// - Parameter rate: what the answer said about the rate.
    package mutating func answered(
        _ request: RequestID, _ result: Result<RESTValue, RESTFailure>, rate: RESTAnswer.Rate? = nil, now: Instant
    ) -> [Action] {
        if tokens.step == .asking(request) {
            tokenAnswered(result, now: now)
        } else if let index = calls.firstIndex(where: { $0.step == .sent(request) }) {
            let call = calls[index]
            if let rate, let token = call.token { gates[token.id, default: RateGate()].reported(rate, now: now) }
            switch result {
            case .success(let value):
                if case .channel(let channel) = value, let id = channel.id { claim(id) }
                end(call.id, result)
            case .failure(let failure):
                failed(call, failure, now: now)
            }
        } else {
            ignoreLate()
        }
        return finish(now: now)
    }

    /// Sends a call, or lets it wait for a token or for its turn.
    ///
    /// - Parameter hasTurn: the time that it waited for has come.
    mutating func advance(_ id: CallID, hasTurn: Bool = false, now: Instant) {
        guard let index = calls.firstIndex(where: { $0.id == id }) else { return }
        guard let token = calls[index].token ?? tokens.usable(now: now) else {
            calls[index].step = .waitingForToken
            return waitForToken(index, now: now)
        }
        calls[index].token = token
        guard !mustWaitForOthers(calls[index].call) else { return calls[index].step = .waitingForOthers(since: now) }
        var gate = gates[token.id] ?? RateGate()
        if !hasTurn || gate.isClosed(now: now) {
            let turn = gate.turn(now: now, random: &random)
            gates[token.id] = gate
            guard turn <= now else { return wait(index, until: turn, gate, now: now) }
        }
        let request = makeRequest()
        calls[index].step = .sent(request)
        tellToken(token, now: now)
        emit(.send(request, calls[index].call, token))
    }

    /// The gate is closed: a call whose limit is earlier fails.
    mutating func wait(_ index: Int, until turn: Instant, _ gate: RateGate, now: Instant) {
        let call = calls[index]
        guard let limit = call.limit, limit < turn else {
            calls[index].step = .waiting(until: turn)
            return
        }
        if let refusal = gate.refusal, gate.opensAt.map({ limit < $0 }) ?? false {
            return end(call.id, .failure(refusal))
        }
        // The pace of the gate, not the service, asks it to wait: it starts at its limit.
        calls[index].step = .waiting(until: max(now, limit))
    }

    private mutating func waitForToken(_ index: Int, now: Instant) {
        tokens.wanted(now: now)
        let call = calls[index]
        guard let limit = call.limit, let time = tokens.nextAsk, time > now, time > limit,
            let failure = tokens.failure
        else { return }
        end(call.id, .failure(failure))
    }

    mutating func end(_ id: CallID, _ result: Result<RESTValue, RESTFailure>) {
        guard let index = calls.firstIndex(where: { $0.id == id }) else { return }
        let call = calls.remove(at: index)
        let isList = call.call == .listChannels
        emit(.answer(id, RESTReply(result, token: call.token, claimed: isList ? claimed : [])))
    }

    // MARK: - Whose channels

    func mustWaitForOthers(_ call: RESTCall) -> Bool {
        let other: RESTCall
        switch call {
        case .listChannels: other = .createChannel
        case .createChannel: other = .listChannels
        default: return false
        }
        return calls.contains { waiting in
            if waiting.call == other, case .sent = waiting.step { true } else { false }
        }
    }

    mutating func claim(_ channel: SecretBytes) {
        claimed.removeAll { $0 == channel }
        claimed.append(channel)
        // Twice as many as there can be: an older one was in the list before a creation.
        if claimed.count > 2 * MadeChannel.maxCount { claimed.removeFirst() }
    }

    // MARK: - Failures

    private mutating func failed(_ call: Call, _ failure: RESTFailure, now: Instant) {
        guard let token = call.token else { return }
        switch failure.cause {
        case .unauthorized:
            return tokenRefused(call, failure, now: now)
        case .throttled:
            throttled(by: failure, token.id, now: now)
        case .transport, .forbidden, .gone, .unavailable, .serverError, .refused, .unusable, .noToken:
            break
        }
        // Others may have ended with it.
        guard let index = calls.firstIndex(where: { $0.id == call.id }) else { return }
        let decision = calls[index].schedule.next(
            after: failure, of: call.call, limit: call.limit, now: now, random: &random)
        switch decision {
        case .giveUp:
            end(call.id, .failure(failure))
        case .attempt where failure.cause == .throttled:
            // The gate gives each call a time of its own; another call may have closed it for longer.
            var gate = gates[token.id] ?? RateGate()
            let turn = gate.turn(now: now, random: &random)
            gates[token.id] = gate
            wait(index, until: turn, gate, now: now)
        case .attempt(let time):
            calls[index].step = .waiting(until: time)
        }
    }

    /// 401: a call is repeated once with another token. One with an older token than the present one needs no new one.
    private mutating func tokenRefused(_ call: Call, _ failure: RESTFailure, now: Instant) {
        guard let index = calls.firstIndex(where: { $0.id == call.id }), let token = call.token else { return }
        // One attempt is one attempt; the token is of no interest to it.
        if let limit = call.limit, limit <= now, call.call.isCleanUp { return end(call.id, .failure(failure)) }
        let wasPresent = tokens.refused(token.id, now: now)
        if wasPresent, call.isRefreshed { return end(call.id, .failure(failure)) }
        if wasPresent { calls[index].isRefreshed = true }
        calls[index].token = nil
        calls[index].step = .waitingForToken
        advance(call.id, now: now)
    }

    /// Closes the gate of a token. Calls that wait for it longer than they may fail now.
    private mutating func throttled(by failure: RESTFailure, _ token: TokenID, now: Instant) {
        var gate = gates[token] ?? RateGate()
        let before = gate.opensAt
        gate.refused(failure, now: now)
        gates[token] = gate
        guard let opensAt = gate.opensAt, opensAt != before else { return }
        emit(.tell(.throttled(opensAt - now)))
        for call in calls where call.token?.id == token {
            guard case .waiting = call.step, let limit = call.limit, limit < opensAt else { continue }
            end(call.id, .failure(failure))
        }
    }
}

extension RESTCall {
    /// Whether nothing depends on its outcome.
    var isCleanUp: Bool {
        if case .removeTopics = self { true } else { false }
    }
}

/// The token.
extension RESTMachine {
    mutating func askForToken(now: Instant) {
        let waiters = calls.contains { $0.step == .waitingForToken }
        guard waiters || hasUsers else { return tokens.rested() }
        // A call may have brought the way to a token about that another call has found since.
        let request = makeRequest()
        let reason = tokens.reason(now: now)
        tokens.asked(request, now: now)
        switch source {
        case .client: emit(.send(request, .mintToken, nil))
        case .host: emit(.ask(request, reason))
        }
    }

    private mutating func tokenAnswered(_ result: Result<RESTValue, RESTFailure>, now: Instant) {
        switch result {
        case .success(.token(let value, let lifetime)):
            let isExclusive = source == .client(isExclusive: true)
            let token = tokens.obtained(
                value, lifetime: lifetime, isExclusive: isExclusive, now: now, random: &random)
            guard let token else { return noToken(.sameToken, now: now) }
            // A channel that is being left has calls with its own token.
            gates = gates.filter { gate in
                gate.value.isClosed(now: now) || calls.contains { $0.token?.id == gate.key }
            }
            tokenIsNew()
            tellToken(token, now: now)
            if source != .host { emit(.keep(token)) }
            emit(.tokenChanged(token))
            for call in calls where call.step == .waitingForToken { advance(call.id, now: now) }
        case .success:
            ignoreLate()
        case .failure(let failure):
            noToken(failure, now: now)
        }
    }

    /// No token was obtained: callers whose limit is over fail, the others wait.
    private mutating func noToken(_ failure: RESTFailure, now: Instant) {
        if failure.cause == .throttled { emit(.tell(.throttled(failure.floor))) }
        let waiting = calls.filter { $0.step == .waitingForToken }
        let staying = waiting.filter { call in
            guard failure.isPassing else { return false }
            return call.limit.map { now < $0 && now + failure.floor <= $0 } ?? true
        }
        let isOver = !waiting.isEmpty && staying.isEmpty
        let limit = isOver ? now : staying.compactMap(\.limit).min()
        let isRepeated = tokens.failed(
            failure, isNeeded: !waiting.isEmpty, limit: limit, now: now, random: &random)
        for call in waiting where !isRepeated || !staying.contains(call) { end(call.id, .failure(failure)) }
    }
}

extension RESTFailure {
    /// The host's callback gave the token that is to be replaced.
    package static let sameToken = RESTFailure(
        .noToken,
        ChannelFailure(
            reason: .httpUnauthorized, phase: .token,
            clause: "the token that was given again is the refused one, or ends",
            advice: "Give a new token", isRetryable: false))

    /// The host's callback gave none.
    package static func noToken(
        _ clause: String, advice: String = "Give a new token", reason: FailureReason = .httpUnauthorized
    ) -> RESTFailure {
        RESTFailure(
            .noToken,
            ChannelFailure(reason: reason, phase: .token, clause: clause, advice: advice, isRetryable: false))
    }
}
