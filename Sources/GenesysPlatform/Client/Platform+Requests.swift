internal import GenesysLoop

/// From calls to requests of HTTP, and back.
extension Platform {
    func request(for call: RESTCall, _ token: Token?) throws(HTTPFailure) -> HTTPRequest {
        guard let method = HTTPRequest.Method(rawValue: call.method),
            let base = call.side == .login ? region.login : region.api
        else { throw .invalidRequest("The call has no base URL.") }
        var request = try HTTPRequest(method, base.url(call.target))
        if let authorization = authorization(of: call, token) {
            try request.addHeader("Authorization", authorization)
        }
        try request.addHeader("Accept", "application/json")
        if call.method != "GET", call.method != "HEAD" { try request.addHeader("Content-Type", call.contentType) }
        request.body = call.body.map { SecretBytes(copying: $0) }
        request.usesFreshConnection = call.isCreation
        request.maxBodySize = call.maxBodyByteCount
        request.connectDeadline = deadlines.connect
        request.deadline = deadlines.call
        return request
    }

    private func authorization(of call: RESTCall, _ token: Token?) -> SecretBytes? {
        switch call.side {
        case .login:
            guard case .client(_, _, let encoded) = credentials.kind else { return nil }
            return SecretBytes(prefix: "Basic ", encoded)
        case .api:
            return token.map { SecretBytes(prefix: "Bearer ", $0.value) }
        }
    }

    /// Hides a token and the client's secret wherever the service repeats them on this loop: over a WebSocket too.
    func hide(_ token: SecretBytes) {
        guard !hiddenTokens.contains(token) else { return }
        // While channels move, two are in use.
        hiddenTokens = hiddenTokens.suffix(2) + [token]
        var secrets = hiddenTokens
        if case .client(_, let secret, let encoded) = credentials.kind { secrets += [secret, encoded] }
        loop.secrets[ObjectIdentifier(self)] = secrets.map(\.bytes)
    }

    /// What the texts of an answer must not repeat.
    func secrets(of call: RESTCall, _ token: Token?) -> [SecretBytes] {
        var secrets: [SecretBytes] = []
        if let token { secrets.append(token.value) }
        if case .client(_, let secret, let encoded) = credentials.kind { secrets += [secret, encoded] }
        if let id = call.channel { secrets.append(id) }
        return secrets
    }
}

extension RESTAnswer {
    init(_ answer: HTTPAnswer, now: WallTime) {
        self.init(status: answer.status, body: answer.body)
        retryAfter = answer.retryAfter
        date = answer.header(named: "date").flatMap { HTTPDate($0) }.map { date in
            WallTime(seconds: date.seconds(now: now), nanoseconds: 0)
        }
        location = answer.redirectHost
        correlationID = answer.correlationID ?? answer.header(named: "genesys-correlation-id")
        let numbers = ["count", "allowed", "reset"].map { name in
            answer.header(named: "inin-ratelimit-\(name)").flatMap { Int($0) }
        }
        if let count = numbers[0], let allowed = numbers[1], let reset = numbers[2], count >= 0, allowed > 0, reset >= 0
        {
            rate = Rate(count: count, allowed: allowed, reset: .seconds(min(reset, 86_400)))
        }
    }
}

extension RESTFailure {
    /// A request that has no answer.
    init(_ failure: HTTPFailure, of call: RESTCall) {
        var answerStatus: Int?
        var mayHaveActed = false
        var cause = Cause.transport
        switch failure {
        case .proxy(let error, _): answerStatus = error.refusal?.status
        case .timeout(.answer, _, _), .closed(during: .answer, _): mayHaveActed = true
        case .bodyTooLarge, .truncated, .violation:
            mayHaveActed = true
            cause = .unusable
        case .internal: mayHaveActed = true
        case .invalidRequest, .unusableLibrary, .invalidProxyVariable, .unsupportedProxy, .unresolved, .unreachable,
            .timeout, .tls, .closed:
            break
        }
        let channelFailure = ChannelFailure(
            reason: failure.reason, phase: call.phase, clause: failure.clause, advice: failure.advice,
            status: answerStatus, isRetryable: failure.isRetryable, isCertificateFault: failure.isAboutCertificate,
            isProxyAuthorizationFault: failure.isAboutProxyAuthorization)
        self.init(cause, channelFailure, mayHaveActed: call.isCreation && mayHaveActed)
    }
}

extension PlatformRegion {
    /// The host of a channel that is not one of the region; nil if it is, or if the base URL does not say where the
    /// region is.
    func unexpectedHost(of uri: SecretBytes) -> String? {
        let prefix = "api."
        guard api.host.hasPrefix(prefix), let address = try? WebSocketURI(uri.text) else { return nil }
        let domain = api.host.dropFirst(prefix.count)
        let host = address.host
        return host == domain || host.hasSuffix(".\(domain)") ? nil : host
    }
}
