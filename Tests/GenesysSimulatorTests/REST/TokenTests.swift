import Foundation
import GenesysLoop
import GenesysSimulator
import Testing

/// The token endpoint, the check of tokens, and the channels that belong to them.
@Suite struct TokenTests {
    // MARK: The endpoint

    @Test func `a client gets a token, its type, and its life in whole seconds`() throws {
        var stage = RESTStage()
        let answer = stage.askForToken()
        #expect(answer.status == 200 && answer.contentType == "application/json")
        #expect(answer.object.keys.sorted() == ["access_token", "expires_in", "token_type"])
        #expect(answer.object["token_type"] as? String == "bearer" && answer.object["expires_in"] as? Int == 86_399)
        let second = try stage.makeToken()
        #expect(second != answer.object["access_token"] as? String)
        #expect(stage.service.madeTokenCount == 2 && stage.service.liveTokenCount == 2)
    }

    @Test func `the life in the answer is scaled, and at least one second`() throws {
        for (scale, seconds) in [(60.0, 1_439), (86_399, 1), (1_000_000, 1)] {
            var stage = RESTStage { $0.timeScale = scale }
            #expect(stage.askForToken().object["expires_in"] as? Int == seconds)
        }
    }

    private static let form = "application/x-www-form-urlencoded"

    private static func basic(_ text: String) -> String { "Basic " + Data(text.utf8).base64EncodedString() }

    private static let refused: [(String?, String?, String, String)] = [
        (nil, form, "grant_type=client_credentials", "client not found"),
        ("Bearer x", form, "grant_type=client_credentials", "client not found"),
        ("Basic %", form, "grant_type=client_credentials", "client not found"),
        (basic("simulated-client"), form, "grant_type=client_credentials", "client not found"),
        (basic("other:simulated-secret"), form, "grant_type=client_credentials", "client not found"),
        (basic("simulated-client:other"), form, "grant_type=client_credentials", "authentication failed"),
        (basic("simulated-client:"), form, "grant_type=client_credentials", "authentication failed"),
        (RESTStage.basic, "application/json", "grant_type=client_credentials", "The body is not a form."),
        (RESTStage.basic, nil, "grant_type=client_credentials", "The body is not a form."),
        (RESTStage.basic, form, "grant_type=password", "The grant type is not supported."),
        (RESTStage.basic, form, "", "The grant type is not supported."),
    ]

    @Test(arguments: refused) func `a request that is not the client's is answered with 400 in the shape of OAuth`(
        authorization: String?, type: String?, body: String, text: String
    ) {
        var stage = RESTStage()
        let answer = stage.askForToken(authorization: authorization, type: type, body)
        #expect(answer.status == 400)
        #expect(answer.object["description"] as? String == text)
        #expect(answer.object["error_description"] as? String == text)
        #expect(Set(answer.object.keys) == ["error", "description", "error_description"])
        #expect(stage.service.madeTokenCount == 0)
    }

    @Test func `names without a case, parameters of types, and further members of the form do not matter`() {
        var stage = RESTStage { $0.tokens.clientSecret = "a:b c%é" }
        let authorization = Self.basic("simulated-client:a:b c%é").replacing("Basic", with: "bASIC")
        let answer = stage.askForToken(
            authorization: authorization, type: "Application/X-WWW-Form-Urlencoded; charset=utf-8",
            "scope=x&grant%5Ftype=client_credentials")
        #expect(answer.status == 200)
        #expect(stage.askForToken(method: "GET").status == 405)
    }

    @Test func `a disabled client and that of another region get no token, and lose those that they have`() throws {
        for (state, text) in [
            (SimulatedService.Configuration.Tokens.ClientState.disabled, "client is disabled"),
            (.unknown, "client not found"),
        ] {
            var stage = RESTStage()
            let token = try stage.makeToken()
            let socket = try stage.open(try stage.makeChannel(token))
            stage.service.configuration.tokens.clientState = state
            #expect(stage.service.nextDeadline == stage.now)
            #expect(stage.pass(.zero) == ["\(socket) close 1001"])
            #expect(stage.askForToken().object["description"] as? String == text)
            let answer = stage.call("GET", "notifications/channels", token)
            #expect(answer.status == 401 && answer.code == "bad.credentials")
        }
    }

    // MARK: The check

    @Test(arguments: [
        ("POST", "notifications/channels"), ("GET", "notifications/channels"), ("HEAD", "notifications/channels/x"),
        ("GET", "notifications/channels/x/subscriptions"), ("GET", "notifications/availabletopics"),
        ("GET", "tokens/me"), ("DELETE", "tokens/me"), ("GET", "users/me"), ("GET", "elsewhere"),
    ]) func `every path of the API wants a live token`(method: String, path: String) throws {
        var stage = RESTStage()
        let none = stage.call(method, path)
        #expect(none.status == 401 && none.code == "authentication.required")
        let unknown = stage.call(method, path, "unknown")
        #expect(unknown.status == 401 && unknown.code == "bad.credentials")
        #expect(unknown.object["contextId"] as? String == unknown.header("ININ-Correlation-Id"))
        let token = try stage.makeToken()
        stage.now += .seconds(86_399)
        #expect(stage.call(method, path, token).code == "bad.credentials")
        #expect(try stage.call(method, path, stage.makeToken()).status != 401)
    }

    @Test func `answers have a date and a correlation id`() throws {
        var stage = RESTStage()
        let token = try stage.makeToken()
        let first = stage.call("GET", "notifications/channels", token)
        #expect(first.header("Date") == "Fri, 31 Jul 2026 09:05:03 GMT")
        let second = stage.call("GET", "notifications/channels", token)
        #expect(first.header("ININ-Correlation-Id")?.count == 36)
        #expect(first.header("ININ-Correlation-Id") != second.header("ININ-Correlation-Id"))
    }

    @Test func `without the check a token is not needed, but a live one owns what it makes`() throws {
        var stage = RESTStage { $0.tokens.areRequired = false }
        let own = try stage.makeChannel(nil)
        let token = try stage.makeToken()
        let its = try stage.makeChannel(token)
        let other = try stage.makeChannel("unknown")
        #expect(stage.call("HEAD", "notifications/channels/\(other)").status == 200)
        #expect(stage.call("GET", "notifications/channels").entities.count == 3)
        #expect(stage.call("GET", "notifications/channels", token).headers.isEmpty)
        #expect(stage.call("GET", "tokens/me").status == 401)
        stage.service.configuration.tokens.areRequired = true
        #expect(stage.have([its, own], token) == [true, false])
    }

    // MARK: The end of a token

    @Test func `a token ends on time, and its channels with it`() throws {
        var stage = RESTStage { $0.tokens.life = .seconds(60) }
        let first = try stage.makeToken()
        let channel = try stage.makeChannel(first)
        let socket = try stage.open(channel)
        stage.now += .seconds(10)
        let second = try stage.makeToken()
        let other = try stage.makeChannel(second)
        #expect(
            stage.pass(.milliseconds(49_999)).filter { !$0.contains("heartbeat") && !$0.contains("Heartbeat") } == [])
        #expect(stage.have([channel], first) == [true])
        #expect(stage.pass(.milliseconds(1)) == ["\(socket) close 1001"])
        #expect(stage.call("GET", "notifications/channels", first).code == "bad.credentials")
        #expect(stage.have([other, channel], second) == [true, false])
        #expect(throws: RESTStage.NotOpen.self) { try stage.open(channel) }
        #expect(stage.service.liveTokenCount == 1)
    }

    @Test func `a channel is gone with its token even before the deadline is processed`() throws {
        var stage = RESTStage { $0.tokens.life = .seconds(60) }
        let channel = try stage.makeChannel(try stage.makeToken())
        stage.now += .seconds(60)
        #expect(throws: RESTStage.NotOpen.self) { try stage.open(channel) }
    }

    @Test func `the channels of a token may outlive it, if that is configured`() throws {
        var stage = RESTStage {
            $0.tokens.life = .seconds(60)
            $0.tokens.endChannels = false
        }
        let channel = try stage.makeChannel(try stage.makeToken())
        _ = stage.pass(.seconds(61))
        _ = try stage.open(channel)
        #expect(stage.service.expireTokens(now: stage.now).isEmpty)
        #expect(stage.service.revokeToken(.all, now: stage.now).isEmpty)
    }

    @Test func `all tokens end at a word, as they expire`() throws {
        var stage = RESTStage { $0.endings.goneChannel = .end(.drop) }
        let tokens = [try stage.makeToken(), try stage.makeToken()]
        let sockets = try tokens.map { try stage.open(try stage.makeChannel($0)) }
        let actions = stage.service.expireTokens(now: stage.now)
        #expect(actions == sockets.map { .drop($0) })
        #expect(stage.check(tokens) == [401, 401])
    }

    @Test func `a revoked token ends all its channels, after a notice`() throws {
        var stage = RESTStage()
        let (first, second) = (try stage.makeToken(), try stage.makeToken())
        let channels = try [first, first, second].map { try stage.makeChannel($0) }
        let sockets = try channels.map { try stage.open($0) }
        let actions = stage.service.revokeToken(.channel(channels[0]), now: stage.now).map(line)
        #expect(actions.count == 4)
        for (offset, socket) in sockets[..<2].enumerated() {
            #expect(actions[2 * offset].contains("token_revoked") && actions[2 * offset].hasPrefix("\(socket) "))
            #expect(actions[2 * offset + 1] == "\(socket) close 1001")
        }
        #expect(stage.call("HEAD", "tokens/me", first).status == 401)
        #expect(stage.have(channels, second) == [false, false, true])
        #expect(stage.service.revokeToken(.all, now: stage.now).count == 2)
        #expect(stage.call("HEAD", "tokens/me", second).status == 401)
    }

    @Test func `a token above the maximum ends the oldest live one`() throws {
        var stage = RESTStage { $0.tokens.maxLiveCount = 2 }
        let first = try stage.makeToken()
        let socket = try stage.open(try stage.makeChannel(first))
        let second = try stage.makeToken()
        #expect(stage.call("HEAD", "tokens/me", first).status == 200)
        let third = try stage.makeToken()
        #expect(stage.pass(.zero) == ["\(socket) close 1001"])
        #expect(stage.check([first, second, third]) == [401, 200, 200])
        #expect(stage.service.liveTokenCount == 2 && stage.service.madeTokenCount == 3)
    }

    // MARK: The client's own questions

    @Test func `a token can be described, asked for and deleted`() throws {
        var stage = RESTStage()
        let token = try stage.makeToken()
        #expect(stage.call("HEAD", "tokens/me", token).body.isEmpty)
        let description = stage.call("GET", "tokens/me", token).object
        #expect((description["OAuthClient"] as? [String: Any])?["id"] as? String == "simulated-client")
        #expect((description["organization"] as? [String: Any])?["name"] as? String == "Simulated organization")
        #expect(description["authenticatedUser"] == nil)
        let user = stage.call("GET", "users/me", token)
        #expect(user.status == 400 && user.text.contains("requires a user context"))
        let socket = try stage.open(try stage.makeChannel(token))
        #expect(stage.call("PATCH", "tokens/me", token).status == 405)
        #expect(stage.call("DELETE", "tokens/me", token).status == 200)
        let actions = stage.pass(.zero)
        #expect(actions.count == 2 && actions[0].contains("token_revoked") && actions[1] == "\(socket) close 1001")
        #expect(stage.call("HEAD", "tokens/me", token).status == 401)
    }

    @Test func `equal seeds and equal requests give equal tokens`() throws {
        var (first, second) = (RESTStage(), RESTStage())
        #expect(try first.makeToken() == second.makeToken())
    }
}
