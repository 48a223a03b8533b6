import GenesysLoop
import GenesysSimulator
import Testing

/// Rate limits, faults and the log of requests.
@Suite struct FaultTests {
    typealias Fault = SimulatedService.Fault

    private let channels = "notifications/channels"

    // MARK: Rates

    @Test func `every answer to a token says how much of its limit is used`() throws {
        var stage = RESTStage()
        let token = try stage.makeToken()
        #expect(stage.call("GET", channels, token).header("inin-ratelimit-count") == "1")
        stage.now += .milliseconds(19_500)
        let second = stage.call("GET", "elsewhere", token)
        #expect(second.status == 404)
        #expect(
            second.headers.suffix(3) == [
                .init("inin-ratelimit-count", "2"), .init("inin-ratelimit-allowed", "300"),
                .init("inin-ratelimit-reset", "41"),
            ])
        stage.now += .milliseconds(40_500)
        #expect(stage.call("GET", channels, token).header("inin-ratelimit-count") == "1")
        #expect(stage.call("GET", channels).header("inin-ratelimit-count") == nil)
    }

    @Test func `a request above the limit of its token is answered with 429 until the minute ends`() throws {
        var stage = RESTStage { $0.rates.requestsPerMinute = 3 }
        let (token, other) = (try stage.makeToken(), try stage.makeToken())
        for _ in 0..<3 { #expect(stage.call("GET", channels, token).status == 200) }
        stage.now += .milliseconds(500)
        let refused = stage.call("GET", channels, token)
        #expect(refused.status == 429 && refused.code == "too.many.requests")
        #expect(refused.header("Retry-After") == "60" && refused.header("inin-ratelimit-count") == "4")
        #expect(refused.text.contains("Rate limit exceeded the maximum [3] requests within [60] seconds"))
        #expect(stage.call("GET", channels, other).status == 200)
        stage.now += .milliseconds(59_499)
        #expect(stage.call("GET", channels, token).header("Retry-After") == "1")
        stage.now += .milliseconds(1)
        #expect(stage.call("GET", channels, token).status == 200)
    }

    @Test func `the client's tokens share the limit of creations, and a minute is scaled`() throws {
        var stage = RESTStage {
            $0.rates.creationsPerMinute = 2
            $0.timeScale = 20
        }
        let (token, other) = (try stage.makeToken(), try stage.makeToken())
        for token in [token, other] { #expect(stage.call("POST", channels, token).status == 200) }
        #expect(stage.call("POST", channels, token).header("Retry-After") == "3")
        #expect(stage.service.channelIDs.count == 2)
        stage.now += .seconds(3)
        #expect(stage.call("POST", channels, token).status == 200)
    }

    @Test func `the time to wait may be hours, or be left out`() throws {
        var stage = RESTStage {
            $0.rates.requestsPerMinute = 0
            $0.rates.retryAfter = .seconds(7_200)
        }
        let token = try stage.makeToken()
        #expect(stage.call("GET", channels, token).header("Retry-After") == "7200")
        stage.service.configuration.rates.retryAfter = .absent
        let answer = stage.call("GET", channels, token)
        #expect(answer.status == 429 && answer.header("Retry-After") == nil)
    }

    // MARK: Faults

    @Test func `a fault applies to its path and method, a number of times, after those that pass`() throws {
        var stage = RESTStage()
        let token = try stage.makeToken()
        let path = "\(channels)/\(try stage.makeChannel(token))/subscriptions"
        var fault = Fault(path: "subscriptions", method: "PUT", answer: .refuse(.unavailable(retryAfter: 2)))
        fault.skipCount = 1
        fault.count = 2
        stage.service.install(fault)
        #expect(stage.call("GET", path, token).status == 200)
        let answers = (0..<4).map { _ in stage.call("PUT", path, token, #"[{"id":"v2.a"}]"#) }
        #expect(answers.map(\.status) == [200, 503, 503, 200])
        #expect(answers[1].header("Retry-After") == "2" && answers[1].code == "service.unavailable")
        #expect(answers[1].header("ININ-Correlation-Id") == answers[1].object["contextId"] as? String)
        #expect(answers[1].header("Date") != nil && answers[1].header("inin-ratelimit-count") == nil)
        #expect(stage.call("POST", channels, token).status == 200)
    }

    @Test func `a path of a fault is the end of the path in whole parts`() throws {
        let requests = [
            ("POST", "/oauth/token", "oauth/token"), ("POST", "/api/v2/notifications/channels", "channels"),
            ("HEAD", "/api/v2/notifications/channels/x", "channels/{id}"),
            ("PUT", "/api/v2/notifications/channels/x/subscriptions", "subscriptions"),
            ("GET", "/api/v2/tokens/me", "tokens/me"), ("GET", "/api/v2/users/me", "/api/v2/users/me"),
        ]
        for (index, fault) in requests.enumerated() {
            var stage = RESTStage()
            stage.service.install(Fault(path: fault.2, answer: .empty(status: 202)))
            for (other, request) in requests.enumerated() {
                #expect(
                    (stage.send(.init(request.0, request.1)).status == 202) == (index == other), "\(fault) \(request)")
            }
        }
        var stage = RESTStage()
        stage.service.install(Fault(answer: .empty(status: 202)))
        let statuses = requests.map { stage.send(.init($0.0, $0.1)).status }
        #expect(Set(statuses) == [202])
        stage.service.install(Fault(answer: .honest))
        #expect(stage.call("GET", channels).status == 401)
    }

    @Test func `a later fault of the same path and method replaces the former`() throws {
        var stage = RESTStage()
        stage.service.install(Fault(path: "channels", answer: .refuse(.unavailable())))
        stage.service.install(Fault(path: "channels", answer: .refuse(.badCredentials)))
        let token = try stage.makeToken()
        let answer = stage.call("GET", channels, token)
        #expect(answer.status == 401 && answer.code == "bad.credentials")
        stage.service.install(Fault(path: "channels", method: "GET", answer: .honest))
        #expect(stage.call("GET", channels, token).status == 401)
        stage.service.install(Fault(path: "channels", answer: .honest))
        #expect(stage.call("GET", channels, token).status == 200)
    }

    private static let effects: [(Fault.Answer, Bool, SimulatedService.RESTAnswer.Delivery)] = [
        (.honest, true, .whole), (.refuse(.unavailable()), false, .whole), (.html(), false, .whole),
        (.empty(), false, .whole), (.redirect(to: "https://elsewhere.test/"), false, .whole),
        (.never, false, .never), (.reset, false, .reset), (.close, true, .close),
        (.closeKept, true, .wholeThenClose), (.truncate, true, .half),
    ]

    @Test(arguments: effects) func `a request takes effect, unless it gets another answer or none`(
        answer: Fault.Answer, takesEffect: Bool, delivery: SimulatedService.RESTAnswer.Delivery
    ) throws {
        for isReversed in [false, true] {
            var stage = RESTStage()
            let token = try stage.makeToken()
            var fault = Fault(path: "channels", method: "POST", answer: answer)
            if isReversed { fault.takesEffect.toggle() }
            fault.delay = .seconds(5)
            stage.service.install(fault)
            let result = stage.call("POST", channels, token)
            #expect(result.delivery == delivery && result.delay == .seconds(5))
            #expect(stage.service.channelIDs.count == (takesEffect != isReversed ? 1 : 0))
        }
    }

    @Test func `answers that are not JSON have their own type, and a redirect its target`() throws {
        var stage = RESTStage()
        stage.service.install(Fault(answer: .html()))
        let html = stage.call("GET", channels)
        #expect(html.status == 502 && html.contentType == "text/html" && html.text.hasPrefix("<!DOCTYPE html>"))
        stage.service.install(Fault(answer: .redirect(to: "https://elsewhere.test/login")))
        let redirect = stage.call("GET", channels)
        #expect(redirect.status == 302 && redirect.header("Location") == "https://elsewhere.test/login")
        stage.service.install(Fault(answer: .json(status: 200, Array("{}".utf8))))
        #expect(stage.call("GET", channels).text == "{}")
    }

    @Test(arguments: [
        (400, "invalid_request", "rate limit exceeded; try again later"),
        (401, "invalid_client", "authentication failed"), (429, "too.many.requests", "Refused."),
        (503, "service.unavailable", "Refused."),
    ]) func `the token endpoint refuses in its own shape`(status: Int, error: String, text: String) throws {
        var stage = RESTStage()
        var fault = Fault(path: "oauth/token", answer: .refuse(.init(status: status, message: "Refused.")))
        fault.count = 1
        stage.service.install(fault)
        let answer = stage.askForToken()
        #expect(answer.status == status)
        #expect(answer.object["error"] as? String == error)
        #expect(answer.object["error_description"] as? String == text)
        #expect(stage.service.madeTokenCount == 0)
        #expect(stage.askForToken().status == 200)
    }

    // MARK: The log

    @Test func `requests are recorded with the ordinals of channel and token, and without secrets`() throws {
        var stage = RESTStage()
        let token = try stage.makeToken()
        _ = try stage.makeToken()
        let id = try stage.makeChannel(token)
        stage.now = .milliseconds(1_500)
        stage.service.install(Fault(path: "subscriptions", answer: .reset))
        _ = stage.call("PUT", "\(channels)/\(id)/subscriptions?ignoreErrors=true", token, #"[{"id":"v2.a"}]"#)
        _ = stage.call("GET", "elsewhere?access_token=\(token)")
        _ = stage.call("DELETE", "tokens/me", token)
        _ = stage.call("HEAD", "\(channels)/none", token)
        #expect(
            stage.log == [
                "POST /oauth/token - 200", "POST /oauth/token - 200", "POST /api/v2/notifications/channels 1 200",
                "PUT /api/v2/notifications/channels/{id}/subscriptions 1 -", "GET /… - 401",
                "DELETE /api/v2/tokens/me 1 200", "HEAD /api/v2/notifications/channels/{id} - 401",
            ])
        let put = stage.service.requests[3]
        #expect(put.channel == 1 && put.time == .milliseconds(1_500) && put.delivery == .reset)
        let answer = stage.send(.init("GET", "/simulator/requests"))
        #expect(answer.entities.count == 7 && stage.service.requestCount == 7)
        #expect(answer.entities[3]["delivery"] as? String == "reset" && answer.entities[3]["time"] as? Double == 1.5)
        for secret in [token, id, "simulated-secret"] {
            #expect(!answer.text.contains(secret) && !"\(stage.service.requests)".contains(secret))
        }
    }

    @Test func `the log keeps the latest requests, and counts all`() {
        var stage = RESTStage()
        let limit = SimulatedService.maxRecordCount
        for _ in 0...limit { _ = stage.call("GET", "tokens/me") }
        _ = stage.call("GET", "users/me")
        #expect(stage.service.requestCount == limit + 2)
        #expect(stage.service.requests.count <= limit && stage.service.requests.count >= limit / 2)
        #expect(stage.service.requests.last?.path == "/api/v2/users/me")
    }

    @Test func `a request shows neither its credentials nor its body`() {
        var request = SimulatedService.RESTRequest(
            "POST", "/oauth/token?client_secret=hidden", body: Array("hidden".utf8))
        request.authorization = "Basic hidden"
        var text = ""
        dump(request, to: &text)
        #expect("\(request)" == "POST /oauth/token" && !text.contains("hidden") && !text.contains("104"))
    }
}
