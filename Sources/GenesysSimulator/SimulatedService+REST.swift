public import GenesysLoop

// The REST side over HTTP: routes, bodies and statuses. Protocol: REST side.
extension SimulatedService {
    /// Answers a request below `/api/v2/notifications`.
    ///
    ///     POST   channels                     makes a channel
    ///     GET    channels                     lists the channels
    ///     HEAD   channels/{id}                tells whether there is such a channel
    ///     GET    channels/{id}/subscriptions  lists its topics
    ///     POST   channels/{id}/subscriptions  adds topics, [{"id":"v2.…"},…]
    ///     PUT    channels/{id}/subscriptions  replaces the topics
    ///     DELETE channels/{id}/subscriptions  removes all topics
    ///
    /// With `?ignoreErrors=true` topics without permission are rejected individually. No token is required.
    ///
    /// - Parameters:
    ///   - request: method, target and body.
    ///   - socketBase: the prefix of `/channels/{id}`, for example `wss://localhost:49152`.
    ///   - wall: the time of day at `now`.
    ///   - now: the time since the driver's origin.
    public mutating func restRequested(
        _ request: RESTRequest, socketBase: String, wall: WallTime, now: Duration
    ) -> RESTAnswer {
        advance(to: now)
        do throws(Refusal) {
            let clock = RESTClock(wall: wall, now: now)
            return try route(request, socketBase: socketBase, clock)
        } catch {
            return RESTAnswer(status: error.status, headers: error.headers, body: error.body)
        }
    }

    private mutating func route(
        _ request: RESTRequest, socketBase: String, _ clock: RESTClock
    ) throws(Refusal) -> RESTAnswer {
        let path = request.path
        guard path.count >= 4, path[..<4] == ["api", "v2", "notifications", "channels"] else {
            throw Refusal(status: 404, message: "HTTP 404 Not Found")
        }
        switch (path.count, path.last) {
        case (4, _):
            return try channels(request, socketBase: socketBase, clock)
        case (5, _):
            guard request.method == "HEAD" else { throw .methodNotAllowed("HEAD") }
            guard liveChannel(path[4]) != nil else { throw .notFound }
            return RESTAnswer(status: 200)
        case (6, "subscriptions"):
            return try subscriptions(request, of: path[4], now: clock.now)
        default:
            throw Refusal(status: 404, message: "HTTP 404 Not Found")
        }
    }

    private mutating func channels(
        _ request: RESTRequest, socketBase: String, _ clock: RESTClock
    ) throws(Refusal) -> RESTAnswer {
        switch request.method {
        case "POST":
            let made = try channelCreated(now: clock.now)
            return RESTAnswer(status: 200, body: channel(made.id, made.expires, socketBase, clock))
        case "GET":
            let entities = channelIDs.map { channel($0, expiry(of: $0) ?? clock.now, socketBase, clock) }
            return RESTAnswer(status: 200, body: RESTAnswer.listing(entities))
        default:
            throw .methodNotAllowed("GET, POST")
        }
    }

    private func channel(_ id: String, _ expires: Duration, _ socketBase: String, _ clock: RESTClock) -> [UInt8] {
        var object = JSONObject()
        object.add("connectUri", "\(socketBase)/channels/\(id)")
        object.add("id", id)
        object.add("expires", (clock.wall + (expires - clock.now)).description)
        return object.finished()
    }

    private mutating func subscriptions(
        _ request: RESTRequest, of id: String, now: Duration
    ) throws(Refusal) -> RESTAnswer {
        switch request.method {
        case "GET":
            return RESTAnswer(status: 200, body: listing(try subscriptions(of: id).map { ($0, true) }))
        case "POST", "PUT":
            guard let topics = RESTValues.topics(request.body) else {
                throw .badRequest("The request body is not a list of topics.")
            }
            let states = try subscriptionsChanged(
                topics, of: id, replaces: request.method == "PUT", ignoringErrors: request.isTrue("ignoreErrors"),
                now: now)
            return RESTAnswer(status: 200, body: listing(states.map { ($0.topic, $0.isPermitted) }))
        case "DELETE":
            try subscriptionsRemoved(of: id, now: now)
            return RESTAnswer(status: 204)
        default:
            throw .methodNotAllowed("GET, POST, PUT, DELETE")
        }
    }

    private func listing(_ topics: [(Topic, Bool)]) -> [UInt8] {
        RESTAnswer.listing(
            topics.map { topic, isPermitted in
                var object = JSONObject()
                object.add("id", topic.rawValue)
                object.add("state", isPermitted ? "Permitted" : "Rejected")
                if !isPermitted { object.add("rejectionReason", "Missing a required permission.") }
                return object.finished()
            })
    }
}

/// The service's time and the corresponding time of day.
private struct RESTClock {
    let wall: WallTime
    let now: Duration
}

extension SimulatedService.RESTAnswer {
    fileprivate static func listing(_ entities: [[UInt8]]) -> [UInt8] {
        let separator = [UInt8(ascii: ",")]
        return Array(#"{"entities":["#.utf8) + entities.joined(separator: separator) + Array("]}".utf8)
    }
}

extension SimulatedService.Refusal {
    /// RFC 9110 §15.5.6: `Allow` names the supported methods.
    fileprivate static func methodNotAllowed(_ allowed: String) -> Self {
        Self(status: 405, headers: [Header("Allow", allowed)], message: "HTTP 405 Method Not Allowed")
    }

    /// The members of an error that clients read.
    var body: [UInt8] {
        var object = JSONObject()
        object.add("message", message)
        object.add("code", code)
        object.add("status", status)
        return object.finished()
    }

    private var code: String {
        switch status {
        case 400: "bad.request"
        case 401: "bad.credentials"
        case 403: "missing.permissions"
        case 404: "not.found"
        case 429: "too.many.requests"
        default: "http.\(status)"
        }
    }
}
