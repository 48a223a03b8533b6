public import GenesysLoop

// The REST side over HTTP: routes, bodies and statuses. Protocol: REST side.
extension SimulatedService {
    /// Answers a request to the REST side.
    ///
    ///     POST   /oauth/token                 makes a token of the client
    ///
    /// Below `/api/v2/notifications`:
    ///
    ///     POST   channels                     makes a channel
    ///     GET    channels                     lists the channels
    ///     HEAD   channels/{id}                says whether there is such a channel
    ///     GET    channels/{id}/subscriptions  lists its topics
    ///     POST   channels/{id}/subscriptions  adds topics, [{"id":"v2.…"},…]
    ///     PUT    channels/{id}/subscriptions  replaces the topics
    ///     DELETE channels/{id}/subscriptions  removes all topics
    ///     GET    availabletopics              lists some topics, and what they require
    ///
    /// Below `/api/v2`: `GET`, `HEAD` and `DELETE tokens/me`, and `GET users/me`, which a client's token cannot use.
    ///
    ///     GET    /simulator/requests          lists `requests`; the real service has no such call
    ///
    /// With `?ignoreErrors=true` topics without permission are rejected individually. A token is required if
    /// `Configuration.Tokens.areRequired`.
    ///
    /// - Parameters:
    ///   - request: method, target, credentials and body.
    ///   - socketBase: the prefix of `/channels/{id}`, for example `wss://localhost:49152`.
    ///   - wall: the time of day at `now`.
    ///   - now: the time since the driver's origin.
    public mutating func restRequested(
        _ request: RESTRequest, socketBase: String, wall: WallTime, now: Duration
    ) -> RESTAnswer {
        advance(to: now)
        let route = request.route
        if route == .requests { return RESTAnswer.listing(requests.map(\.json)) }
        // Read first: the request may end both.
        var record = RESTRecord(
            method: request.method, path: route.template,
            channel: route.channelID.flatMap { channelIndices[$0] }.map { $0 + 1 },
            token: liveToken(of: request).map { $0 + 1 }, time: now, status: nil, delivery: .whole)
        let call = RESTCall(
            request: request, route: route, socketBase: socketBase, wall: wall, now: now,
            correlationID: configuration.tokens.areRequired ? makeUUID() : nil)
        let fault = fault(for: route, request.method)
        let answer = fault.map { disturbedAnswer(to: call, by: $0) } ?? answer(to: call)
        record.delivery = answer.delivery
        record.status = fault?.takesEffect != false || answer.delivery.isSent ? answer.status : nil
        self.record(record)
        return answer
    }

    private mutating func makeUUID() -> String {
        String(decoding: SampleFeed.makeUUID(using: &generator), as: UTF8.self)
    }

    /// The answer with the fault that applies to the request.
    private mutating func disturbedAnswer(to call: RESTCall, by fault: Fault) -> RESTAnswer {
        let prevented = Refusal(status: 500, message: "The simulator did not do it.")
        var result = fault.takesEffect ? answer(to: call) : prevented.answer(call.correlationID)
        switch fault.answer {
        case .honest: break
        case .never: result.delivery = .never
        case .reset: result.delivery = .reset
        case .close: result.delivery = .close
        case .closeKept: result.delivery = .wholeThenClose
        case .truncate: result.delivery = .half
        case .refuse(let refusal):
            result = call.route == .token ? OAuthError(refusal).answer : refusal.answer(call.correlationID)
            if call.route != .token { result.headers += call.headers }
        case .raw(let status, let headers, let contentType, let body):
            result = RESTAnswer(status: status, headers: headers, body: body, contentType: contentType)
        }
        result.delay = fault.delay
        return result
    }

    private mutating func answer(to call: RESTCall) -> RESTAnswer {
        if call.route == .token {
            do throws(OAuthError) {
                return try tokenRequested(call.request, now: call.now)
            } catch {
                return error.answer
            }
        }
        var token: Int?
        var answer: RESTAnswer
        do throws(Refusal) {
            token = try authenticate(call.request)
            answer = try serve(call, by: token)
        } catch {
            answer = error.answer(call.correlationID)
        }
        answer.headers += call.headers
        if let token, configuration.tokens.areRequired { answer.headers += rateHeaders(of: token, now: call.now) }
        return answer
    }

    // MARK: Permission

    private func liveToken(of request: RESTRequest) -> Int? {
        request.bearer.flatMap { tokenIndices[$0] }.flatMap { isLiveToken($0) ? $0 : nil }
    }

    /// The token of a request; nil without one where none is required.
    private func authenticate(_ request: RESTRequest) throws(Refusal) -> Int? {
        if let token = liveToken(of: request) { return token }
        guard configuration.tokens.areRequired else { return nil }
        throw request.bearer == nil ? .unauthorized : .badCredentials
    }

    /// Refuses a channel of another token.
    private func check(_ id: String, isOf token: Int?) throws(Refusal) {
        guard let channel = liveChannel(id) else { throw .notFound }
        guard configuration.tokens.areRequired, channels[channel].token != token else { return }
        throw configuration.tokens.hidesForeignChannels ? .notFound : .notAuthorized
    }

    // MARK: Routes

    private mutating func serve(_ call: RESTCall, by token: Int?) throws(Refusal) -> RESTAnswer {
        if let token, configuration.tokens.areRequired { try countRequest(of: token, now: call.now) }
        switch call.route {
        case .channels:
            return try channels(call, by: token)
        case .channel(let id):
            guard call.request.method == "HEAD" else { throw .methodNotAllowed("HEAD") }
            try check(id, isOf: token)
            return RESTAnswer(status: 200)
        case .subscriptions(let id):
            return try subscriptions(call.request, of: id, by: token, now: call.now)
        case .availableTopics:
            guard call.request.method == "GET" else { throw .methodNotAllowed("GET") }
            let topics = TopicCatalog.listing(call.request, minByteCount: configuration.channels.minCatalogByteCount)
            return RESTAnswer.listing(topics)
        case .ownToken:
            return try ownToken(call.request, token, now: call.now)
        case .ownUser:
            guard token != nil else { throw .unauthorized }
            throw .badRequest(
                "This request requires a user context. Client credentials cannot be used for requests to this resource."
            )
        case .token, .requests, .unknown:
            throw Refusal(status: 404, message: "HTTP 404 Not Found")
        }
    }

    private mutating func ownToken(_ request: RESTRequest, _ token: Int?, now: Duration) throws(Refusal) -> RESTAnswer {
        guard let token else { throw .unauthorized }
        switch request.method {
        case "HEAD":
            return RESTAnswer(status: 200)
        case "GET":
            return RESTAnswer(status: 200, body: tokenDescription)
        case "DELETE":
            perform(revocation(of: token), at: now)
            return RESTAnswer(status: 200)
        default:
            throw .methodNotAllowed("GET, HEAD, DELETE")
        }
    }

    private mutating func channels(_ call: RESTCall, by token: Int?) throws(Refusal) -> RESTAnswer {
        switch call.request.method {
        case "POST":
            if token != nil, configuration.tokens.areRequired { try countCreation(now: call.now) }
            let made = try channelCreated(by: token, now: call.now)
            return RESTAnswer(status: 200, body: call.channel(made.id, expires: made.expires))
        case "GET":
            return RESTAnswer.listing(try entities(call, for: token))
        default:
            throw .methodNotAllowed("GET, POST")
        }
    }

    private func entities(_ call: RESTCall, for token: Int?) throws(Refusal) -> [[UInt8]] {
        let live = liveChannels(.all).map { channels[$0] }
        guard configuration.tokens.areRequired else { return live.map { call.channel($0.id, expires: $0.expires) } }
        switch call.request.query.first(where: { $0.name == "includechannels" })?.value.lowercased() ?? "token" {
        case "token":
            return live.filter { $0.token == token }.map { call.channel($0.id, expires: $0.expires) }
        case "oauthclient":
            return live.filter { $0.token != nil }.map {
                call.channel($0.token == token ? $0.id : nil, expires: $0.expires)
            }
        default:
            throw .badRequest("The value of includechannels is neither token nor oauthclient.")
        }
    }

    private mutating func subscriptions(
        _ request: RESTRequest, of id: String, by token: Int?, now: Duration
    ) throws(Refusal) -> RESTAnswer {
        try check(id, isOf: token)
        switch request.method {
        case "GET":
            return RESTAnswer.listing(try subscriptions(of: id).map { TopicState(permitted: $0).json })
        case "POST", "PUT":
            guard let topics = RESTValues.topics(request.body) else {
                throw .badRequest("The request body is not a list of topics.")
            }
            do throws(Refusal) {
                let states = try subscriptionsChanged(
                    topics, of: id, replaces: request.method == "PUT",
                    ignoringErrors: request.isTrue("ignoreErrors"), now: now)
                let unnamed = configuration.commands.unnamedTopics
                return RESTAnswer.listing(states.filter { !unnamed.contains($0.topic) }.map(\.json))
            } catch {
                throw error == .forbidden ? .missingAnyPermissions(missingPermissions(in: topics)) : error
            }
        case "DELETE":
            try subscriptionsRemoved(of: id, now: now)
            return RESTAnswer(status: 204)
        default:
            throw .methodNotAllowed("GET, POST, PUT, DELETE")
        }
    }

    private func missingPermissions(in topics: [Topic]) -> [String] {
        let forbidden = topics.flatMap(\.expanded).filter(configuration.channels.forbiddenTopics.contains)
        return Set(forbidden.flatMap { TopicCatalog.permissions(for: $0) }).sorted()
    }
}
