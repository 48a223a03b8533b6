import GenesysLoop
import Testing

@testable import GenesysPlatform

/// What answers mean: first the status, then the body.
@Suite struct RESTOutcomeTests {
    private static let id = SecretBytes("streaming-3-abcdefghijklmnop")

    private func outcome(
        _ call: RESTCall, _ status: Int, _ body: String = "", hiding secrets: [SecretBytes] = [],
        _ change: (inout RESTAnswer) -> Void = { _ in }
    ) -> Result<RESTValue, RESTFailure> {
        var answer = RESTAnswer(status: status, body: SecretBytes(body))
        change(&answer)
        return call.outcome(of: answer, hiding: secrets)
    }

    private func failure(_ outcome: Result<RESTValue, RESTFailure>) throws -> RESTFailure {
        guard case .failure(let failure) = outcome else {
            throw ChannelFailure(reason: .ambiguous, phase: .open, message: "\(outcome)")
        }
        return failure
    }

    // MARK: - Bodies

    @Test func `a token has a life of any length, or none`() throws {
        let body = #"{"access_token":"a\u0041b","token_type":"Bearer","expires_in":86399}"#
        #expect(outcome(.mintToken, 200, body) == .success(.token(SecretBytes("aAb"), lifetime: .seconds(86_399))))
        let short = #"{"access_token":"t","expires_in":null}"#
        #expect(outcome(.mintToken, 200, short) == .success(.token(SecretBytes("t"), lifetime: nil)))
    }

    @Test func `a channel's life counts from the date of the answer`() throws {
        let body = #"""
            {"connectUri":"wss://streaming.x/channels/s-1","id":"s-1","expires":"2026-02-03T17:59:07.650Z","more":[1]}
            """#
        let date = try #require(WallTime(iso8601: "2026-02-02T17:59:07Z"))
        let channel = try outcome(.createChannel, 200, body, { $0.date = date }).get()
        let expected = ListedChannel(
            id: SecretBytes("s-1"), uri: SecretBytes("wss://streaming.x/channels/s-1"),
            remaining: .seconds(86_400) + .milliseconds(650))
        #expect(channel == .channel(expected))
        // A clock that nothing was compared with says nothing.
        guard case .channel(let other) = try outcome(.createChannel, 200, body).get() else { return }
        #expect(other.remaining == nil)
    }

    @Test func `channels of other tokens have no id and are counted`() throws {
        let body = #"{"entities":[{"id":"s-1","connectUri":"wss://a/b"},{"expires":"2026-02-03T17:59:07Z"},{}]}"#
        guard case .channels(let channels) = try outcome(.listChannels, 200, body).get() else { return }
        #expect(channels.map { $0.id != nil } == [true, false, false])
    }

    @Test func `topics have a verdict each, and an unknown one is no permission`() throws {
        let body = #"""
            {"entities":[{"id":"a","state":"Permitted"},{"id":"b","state":"Rejected","rejectionReason":"no","missingPermissions":
            ["x:y:view"]},{"id":"c","state":"Later"},{"id":"d"},{"state":"Permitted"}]}
            """#
        let expected = [
            TopicVerdict("a", isPermitted: true),
            TopicVerdict("b", isPermitted: false, reason: "no", missingPermissions: ["x:y:view"]),
            TopicVerdict("c", isPermitted: false), TopicVerdict("d", isPermitted: true),
        ]
        #expect(outcome(.setTopics([], of: Self.id), 200, body) == .success(.topics(expected)))
    }

    @Test func `a removal and a check need no body`() {
        for status in [200, 202, 204] {
            #expect(outcome(.removeTopics(of: Self.id), status) == .success(.done))
        }
        #expect(outcome(.checkChannel(Self.id), 200) == .success(.done))
    }

    @Test func `the description of a token and the catalog are read`() throws {
        let token = #"""
            {"organization":{"id":"o","name":"Org"},"OAuthClient":{"name":"Client","authorizedGrantType":"CLIENT_CREDENTIALS"},
            "authenticatedUser":null}
            """#
        let description = TokenDescription(
            organization: "Org", client: "Client", grant: "CLIENT_CREDENTIALS", hasUser: false)
        #expect(outcome(.describeToken, 200, token) == .success(.tokenDescription(description)))
        let catalog = #"""
            {"entities":[{"id":"v2.users.{id}.presence","visibility":"Preview","transports":["Websocket"],
            "requiresPermissions":["a:b:view"],"permissionDetails":[{"type":"requiresCurrentUser"}]}]}
            """#
        let topic = AvailableTopic(
            pattern: "v2.users.{id}.presence", isPreview: true, transports: ["Websocket"], permissions: ["a:b:view"],
            conditions: ["requiresCurrentUser"])
        #expect(outcome(.catalog, 200, catalog) == .success(.catalog([topic])))
    }

    // MARK: - Unusable bodies

    @Test(
        arguments: [
            ("", "empty"), (" \n", "empty"), ("<html><body>Hello</body></html>", "a page"), ("{\"id\":\"s", "cut off"),
            ("[]", "no usable id"), ("{}", "no usable id"), (#"{"id":7,"connectUri":"wss://a/b"}"#, "no usable id"),
            (#"{"id":"s"}"#, "no usable connectUri"), (#"{"id":"s","connectUri":"http://a"}"#, "no usable connectUri"),
            (#"{"id":"s","connectUri":"ws://elsewhere/b"}"#, "no usable connectUri"), ("{} x", "not JSON"),
        ])
    func `a body that cannot be used is a typed failure with its own sentence`(body: String, words: String) throws {
        let failure = try failure(outcome(.createChannel, 200, body))
        #expect(failure.cause == .unusable)
        #expect(failure.mayHaveActed)
        #expect(failure.failure.reason == .invalidMessage)
        #expect(failure.failure.remedy == .reportToPeer)
        #expect("\(failure.failure)".contains(words), "\(failure.failure)")
    }

    @Test func `a page is quoted with at most 200 bytes, and a cut-off token is not`() throws {
        let page = try failure(outcome(.createChannel, 200, "<html><body>\(String(repeating: "word ", count: 99))"))
        #expect(page.failure.message.map { $0.utf8.count <= 200 && $0.hasPrefix("word") } == true)
        let cut = try failure(outcome(.mintToken, 200, #"{"access_token":"hidden-secret","#))
        #expect(!"\(cut)".contains("hidden"))
        #expect(cut.failure.phase == .token)
    }

    // MARK: - Statuses

    @Test(
        arguments: [
            (401, .unauthorized, .httpUnauthorized, false), (403, .forbidden, .httpForbidden, false),
            (404, .gone, .httpNotFound, false), (429, .throttled, .httpTooManyRequests, true),
            (408, .unavailable, .invalidStatusCode, true), (502, .unavailable, .invalidStatusCode, true),
            (503, .unavailable, .invalidStatusCode, true), (504, .unavailable, .invalidStatusCode, true),
            (500, .serverError, .invalidStatusCode, true), (501, .serverError, .invalidStatusCode, true),
            (302, .refused, .invalidStatusCode, false), (400, .refused, .subscriptionRefused, false),
            (413, .refused, .subscriptionRefused, false), (418, .refused, .subscriptionRefused, false),
        ] as [(Int, RESTFailure.Cause, FailureReason, Bool)])
    func `the status decides, whatever the body`(
        status: Int, cause: RESTFailure.Cause, reason: FailureReason, passes: Bool
    ) throws {
        for body in ["", "<html>Bad</html>", #"{"message":"No."}"#, "{\"mess"] {
            let failure = try failure(outcome(.setTopics([], of: Self.id), status, body))
            #expect(failure.cause == cause)
            #expect(failure.failure.reason == reason)
            #expect(failure.failure.isRetryable == passes)
            #expect(failure.failure.status == status)
            #expect(!failure.mayHaveActed)
        }
    }

    @Test func `404 for another path than a channel's is a wrong server`() throws {
        #expect(try failure(outcome(.createChannel, 404)).cause == .refused)
        #expect(try failure(outcome(.mintToken, 404, "<html>")).cause == .refused)
        #expect(try failure(outcome(.createChannel, 400)).failure.reason == .invalidStatusCode)
    }

    @Test func `after a gateway's error it is unknown whether a channel was made`() throws {
        for status in [408, 500, 502, 504] { #expect(try failure(outcome(.createChannel, status)).mayHaveActed) }
        for status in [429, 503, 401] { #expect(try failure(outcome(.createChannel, status)).mayHaveActed == false) }
    }

    @Test func `a redirect names the host, and nothing follows it`() throws {
        let failure = try failure(outcome(.createChannel, 302) { $0.location = "sso.example" })
        #expect(failure.failure.location == "sso.example")
        #expect("\(failure.failure)".contains("sso.example"))
    }

    // MARK: - The token endpoint

    @Test func `wrong region, wrong secret, disabled client and too many requests have sentences of their own`() throws
    {
        func token(_ status: Int, _ error: String, _ text: String) throws -> RESTFailure {
            let body = #"{"error":"\#(error)","description":"\#(text)","error_description":"\#(text)"}"#
            return try failure(outcome(.mintToken, status, body))
        }
        let region = try token(400, "invalid_client", "client not found")
        let secret = try token(400, "invalid_client", "authentication failed")
        let disabled = try token(400, "unauthorized_client", "client is disabled")
        let refused = try failure(outcome(.mintToken, 401, "<html>no</html>"))
        let address = try failure(outcome(.mintToken, 403))
        let many = try token(400, "invalid_request", "rate limit exceeded; try later")
        let wrong = try token(400, "invalid_request", "unsupported content type")
        #expect([region, secret, disabled, refused, address].allSatisfy { $0.cause == .unauthorized })
        #expect([region, secret, disabled, refused, address].allSatisfy { !$0.isPassing })
        #expect(many.cause == .throttled)
        #expect(many.failure.isRetryable)
        #expect(wrong.cause == .refused)
        let sentences = [region, secret, disabled, refused, address, many, wrong].map { "\($0.failure)" }
        #expect(Set(sentences).count == sentences.count)
        #expect(sentences[0].contains("region") && sentences[1].contains("secret") && sentences[2].contains("active"))
        #expect([region, secret, disabled, refused, many].allSatisfy { $0.failure.phase == .token })
    }

    // MARK: - Secrets

    @Test func `what a peer repeats of our secrets is left out`() throws {
        let secret = SecretBytes("s3cr3t-of-the-client")
        let echo = "you sent s3cr3t-of-the-client, did you not"
        for body in ["<html>\(echo)</html>", #"{"message":"\#(echo)","error_description":"\#(echo)"}"#, echo] {
            for call in [RESTCall.mintToken, .createChannel] {
                for status in [400, 401, 500, 302] {
                    let failure = try failure(outcome(call, status, body, hiding: [secret]) { $0.correlationID = echo })
                    #expect(!"\(failure)".contains("s3cr3t"), "\(failure)")
                    #expect(!"\(failure.failure)".contains("s3cr3t"))
                }
            }
        }
    }

    @Test func `values are printed without their secrets`() throws {
        let body = #"{"access_token":"hidden-secret","token_type":"bearer","expires_in":1}"#
        #expect(!"\(outcome(.mintToken, 200, body))".contains("hidden"))
        let channel = #"{"connectUri":"wss://a/channels/hidden-secret","id":"hidden-secret"}"#
        #expect(!"\(outcome(.createChannel, 200, channel))".contains("hidden"))
    }

    // MARK: - Times

    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0, 0), ("2026-02-03T17:59:07.650Z", 1_770_141_547, 650_000_000),
            ("2024-02-29T23:59:60.000000001Z", 1_709_251_200, 1), ("2000-03-01T00:00:00.5Z", 951_868_800, 500_000_000),
        ])
    func `ISO 8601 is read`(text: String, seconds: Int64, nanoseconds: Int32) {
        #expect(WallTime(iso8601: text) == WallTime(seconds: seconds, nanoseconds: nanoseconds))
    }

    @Test(
        arguments: [
            "", "Z", "2026-02-03T17:59:07", "2026-02-03 17:59:07Z", "2026-13-03T17:59:07Z", "2026-02-03T17:59:07.Z",
            "2026-02-03T17:59:07+01:00", "2026-02-03T25:59:07Z", "2026-02-03T17:59:07.1234567890Z",
        ])
    func `another form is no time`(text: String) {
        #expect(WallTime(iso8601: text) == nil)
    }
}
