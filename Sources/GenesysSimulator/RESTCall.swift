internal import GenesysLoop

/// A request with what its answer needs.
struct RESTCall {
    let request: SimulatedService.RESTRequest
    let route: RESTRoute
    let socketBase: String
    let wall: WallTime
    let now: Duration
    /// Names the request in its answer; nil where no token is required.
    let correlationID: String?

    /// Header fields of every answer of the API.
    var headers: [SimulatedService.Refusal.Header] {
        guard let correlationID else { return [] }
        return [.init("Date", wall.httpDate), .init("ININ-Correlation-Id", correlationID)]
    }

    /// A channel, without the id and the URI for one of another token.
    func channel(_ id: String?, expires: Duration) -> [UInt8] {
        var object = JSONObject()
        if let id { object.add("connectUri", "\(socketBase)/channels/\(id)") }
        object.add("id", id)
        object.add("expires", (wall + (expires - now)).description)
        return object.finished()
    }
}

extension SimulatedService.RESTAnswer {
    static func listing(_ entities: [[UInt8]]) -> Self {
        let separator = [UInt8(ascii: ",")]
        let body = Array(#"{"entities":["#.utf8) + entities.joined(separator: separator) + Array("]}".utf8)
        return Self(status: 200, body: body)
    }
}

extension SimulatedService.TopicState {
    /// An entity of the listing.
    var json: [UInt8] {
        var object = JSONObject()
        object.add("id", topic.rawValue)
        object.add("state", isPermitted ? "Permitted" : "Rejected")
        guard !isPermitted else { return object.finished() }
        object.add("rejectionReason", rejectionReason)
        object.add("missingPermissions", missingPermissions)
        return object.finished()
    }
}

extension SimulatedService.Refusal {
    /// RFC 9110 §15.5.6: `Allow` names the supported methods.
    static func methodNotAllowed(_ allowed: String) -> Self {
        Self(status: 405, headers: [Header("Allow", allowed)], message: "HTTP 405 Method Not Allowed")
    }

    /// 403, the channel belongs to another token.
    static let notAuthorized = Self(
        status: 403, code: "not.authorized", message: "You are not authorized to perform the requested action.")

    /// 403, topics need permissions.
    static func missingAnyPermissions(_ permissions: [String]) -> Self {
        Self(
            status: 403, code: "missing.any.permissions",
            message: "Unable to perform the requested action. You must have at least one of the following permissions "
                + "assigned: [\(permissions.joined(separator: ", "))]")
    }

    func answer(_ correlationID: String?) -> SimulatedService.RESTAnswer {
        SimulatedService.RESTAnswer(status: status, headers: headers, body: body(correlationID))
    }

    /// The members of an error that clients read.
    func body(_ correlationID: String? = nil) -> [UInt8] {
        var object = JSONObject()
        object.add("message", message)
        object.add("code", bodyCode)
        object.add("status", status)
        object.add("contextId", correlationID)
        return object.finished()
    }

    var bodyCode: String {
        if let code { return code }
        return switch status {
        case 400: "bad.request"
        case 401: "bad.credentials"
        case 403: "missing.permissions"
        case 404: "not.found"
        case 415: "unsupported.media.type"
        case 429: "too.many.requests"
        case 500: "internal.server.error"
        case 503: "service.unavailable"
        case 504: "request.timeout"
        default: "http.\(status)"
        }
    }
}

extension WallTime {
    /// The form of RFC 9110 §5.6.7, without parts of a second: `Sun, 06 Nov 1994 08:49:37 GMT`.
    var httpDate: String {
        let text = Array(description)
        let (days, second) = (seconds / 86_400, seconds % 86_400)
        let isEarlier = second < 0
        // 1970-01-01 was a Thursday.
        let names = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let weekday = names[Int(((days - (isEarlier ? 1 : 0)) % 7 + 7) % 7)]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let month = months[(Int(String(text[5...6])) ?? 1) - 1]
        return "\(weekday), \(String(text[8...9])) \(month) \(String(text[0...3])) \(String(text[11...18])) GMT"
    }
}
