internal import GenesysLoop

// POST /oauth/token: client credentials.
extension SimulatedService {
    mutating func tokenRequested(_ request: RESTRequest, now: Duration) throws(OAuthError) -> RESTAnswer {
        guard request.method == "POST" else {
            throw OAuthError(.methodNotAllowed("POST"))
        }
        try checkClient(of: request)
        let type = request.contentType?.prefix { $0 != ";" }.lowercased()
        guard type == "application/x-www-form-urlencoded" else {
            throw OAuthError("invalid_request", "The body is not a form.")
        }
        let form = RESTRequest.parameters(String(decoding: request.body, as: UTF8.self))
        guard form.first(where: { $0.name == "grant_type" })?.value == "client_credentials" else {
            throw OAuthError("unsupported_grant_type", "The grant type is not supported.")
        }
        let token = makeToken(now: now)
        var object = JSONObject()
        object.add("access_token", tokens[token].value)
        object.add("token_type", "bearer")
        object.add("expires_in", max(1, Int((tokens[token].expires - now).components.seconds)))
        return RESTAnswer(status: 200, body: object.finished())
    }

    /// RFC 7617: the user name is the client's id, the password its secret.
    private func checkClient(of request: RESTRequest) throws(OAuthError) {
        let client = configuration.tokens
        let decoded = request.credentials(of: "basic").flatMap { RESTValues.text(ofBase64: $0) } ?? ""
        let parts = decoded.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == client.clientID, client.clientState != .unknown else {
            throw OAuthError("invalid_client", "client not found")
        }
        guard parts[1] == client.clientSecret else { throw OAuthError("invalid_client", "authentication failed") }
        guard client.clientState != .disabled else { throw OAuthError("invalid_client", "client is disabled") }
    }
}

/// An error of the token endpoint, whose body differs from that of the API.
struct OAuthError: Error {
    let status: Int
    var headers: [SimulatedService.Refusal.Header] = []
    let error: String
    let text: String

    init(_ error: String, _ text: String) {
        status = 400
        self.error = error
        self.text = text
    }

    /// A refusal in the shape of this endpoint: it answers too many requests with 400.
    init(_ refusal: SimulatedService.Refusal) {
        status = refusal.status
        headers = refusal.headers
        switch status {
        case 400: (error, text) = ("invalid_request", "rate limit exceeded; try again later")
        case 401: (error, text) = ("invalid_client", "authentication failed")
        default: (error, text) = (refusal.bodyCode, refusal.message)
        }
    }

    var answer: SimulatedService.RESTAnswer {
        var object = JSONObject()
        object.add("error", error)
        object.add("description", text)
        object.add("error_description", text)
        return SimulatedService.RESTAnswer(status: status, headers: headers, body: object.finished())
    }
}
