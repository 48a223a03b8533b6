import GenesysSimulator
import Logging
import ServerKit
import Synchronization
import Testing

@testable import GenesysLoop
@testable import GenesysPlatform

/// Bad input from the token endpoint, the API and a proxy, the whole way: socket, libcurl, machines, delegate.
///
/// What the pure tests of the answers show is not repeated. Each secret has the word *planted* in it, and the peers
/// repeat whatever they were sent.
@Suite(.timeLimit(.minutes(2))) struct BadInputTests {
    /// One input, and the failure that the host gets.
    struct Row: Sendable {
        let name: String
        /// The part of the request's path whose answer is bad; a proxy's has none.
        var path = ""
        let answer: @Sendable (WebServer.Request) -> String
        let phase: ChannelFailure.Phase
        let reason: FailureReason
        var status: Int?
        let words: String
    }

    static let rows: [Row] =
        bodies("/oauth/token", "POST", .token, cut: #"{"access_token":"planted-token-0002","#)
        + bodies("/channels", "POST", .provision, cut: channelBody.prefix(channelBody.count - 20) + "")
        + bodies("/subscriptions", "PUT", .provision, cut: #"{"entities":[{"id":"planted-topic"#)
        + [
            Row(
                name: "wrong region", path: "/oauth/token", answer: { refusal(400, "client not found", $0) },
                phase: .token, reason: .httpUnauthorized, status: 400, words: "no OAuth client of this region"),
            Row(
                name: "wrong secret", path: "/oauth/token", answer: { refusal(401, "authentication failed", $0) },
                phase: .token, reason: .httpUnauthorized, status: 401, words: "the secret of the OAuth client"),
            Row(
                name: "disabled client", path: "/oauth/token", answer: { refusal(400, "client is disabled", $0) },
                phase: .token, reason: .httpUnauthorized, status: 400, words: "the client is active"),
            Row(
                name: "token endpoint fails", path: "/oauth/token", answer: { page(500, $0) }, phase: .token,
                reason: .invalidStatusCode, status: 500, words: "the service failed"),
            Row(
                name: "cut failure", path: "/oauth/token",
                answer: { _ in answer(503, #"{"access_token":"planted-token-0002","#) }, phase: .token,
                reason: .invalidStatusCode, status: 503, words: "the service is not available"),
            Row(
                name: "token refused", path: "/channels", answer: { page(401, $0) }, phase: .provision,
                reason: .httpUnauthorized, status: 401, words: "the service refused the token"),
            Row(
                name: "channel in a failure", path: "/channels",
                answer: { $0.method == "POST" ? answer(500, channelBody) : listing }, phase: .provision,
                reason: .invalidStatusCode, status: 500, words: "the service failed"),
            Row(
                name: "channel in a page", path: "/channels",
                answer: { $0.method == "POST" ? answer(502, "<p>\(uri) (\(uri))</p>") : listing }, phase: .provision,
                reason: .invalidStatusCode, status: 502, words: "the service is not available"),
            Row(
                name: "log-in page", path: "/oauth/token", answer: { redirect($0) }, phase: .token,
                reason: .invalidStatusCode, status: 302, words: "redirected the request to sso.test"),
            Row(
                name: "log-in page of the API", path: "/subscriptions", answer: { redirect($0) }, phase: .provision,
                reason: .invalidStatusCode, status: 302, words: "redirected the request to sso.test"),
        ]

    /// Bodies of status 200 that cannot be used.
    private static func bodies(
        _ path: String, _ method: String, _ phase: ChannelFailure.Phase, cut: String
    ) -> [Row] {
        func row(_ name: String, _ words: String, _ body: @escaping @Sendable (WebServer.Request) -> String) -> Row {
            Row(
                name: "\(path) \(name)", path: path, answer: { $0.method == method ? body($0) : listing },
                phase: phase, reason: .invalidMessage, status: 200, words: words)
        }
        return [
            row("page", "a page", { page(200, $0) }), row("cut", "cut off", { _ in answer(200, cut) }),
            row("empty", "empty", { _ in answer(200, "") }),
        ]
    }

    // MARK: - Secrets and answers

    private static let secret = "planted-secret-0001"
    private static let uri = "wss://streaming.test/channels/streaming-3-planted0004"
    private static let channelBody =
        #"{"connectUri":"\#(uri)","id":"streaming-3-planted0003","expires":"2026-02-03T17:59:07Z"}"#
    private static let listing = answer(200, #"{"entities":[]}"#)

    private static func answer(_ status: Int, _ body: String, _ headers: String = "") -> String {
        "HTTP/1.1 \(status) X\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
    }

    /// A page that repeats the request.
    private static func page(_ status: Int, _ request: WebServer.Request) -> String {
        let echo = "\(request.target) \(request.headers["authorization"] ?? "") \(request.body) \(secret)"
        return answer(status, "<html><body>\(echo)</body></html>", "ININ-Correlation-Id: \(secret)\r\n")
    }

    private static func refusal(_ status: Int, _ text: String, _ request: WebServer.Request) -> String {
        let said = "\(text) for \(request.headers["authorization"] ?? "")"
        return answer(
            status, #"{"error":"invalid_client","description":"\#(said)","error_description":"\#(said)"}"#)
    }

    private static func redirect(_ request: WebServer.Request) -> String {
        let target = "https://user:planted@sso.test/planted?token=planted-query-0006"
        return answer(302, "Found. Redirecting to \(target) or /log-in?token=planted", "Location: \(target)\r\n")
    }

    private static let good: @Sendable (WebServer.Request) -> String = { request in
        switch (request.method, request.target) {
        case ("POST", "/oauth/token"):
            answer(
                200,
                #"{"access_token":"planted-token-\#(request.connection)","token_type":"bearer","expires_in":86399}"#)
        case ("GET", _): listing
        default: answer(200, channelBody)
        }
    }

    // MARK: - Tests

    @Test func `each bad input is a failure with its own sentence, and no secret is in it`() throws {
        var words: [String: String] = [:]
        for row in Self.rows {
            let scene = try BadInputScene()
            let server = try WebServer(scene.loop) { request in
                [.text(request.target.contains(row.path) ? row.answer(request) : Self.good(request))]
            }
            let failure = try scene.failure(server)
            let sentence = "\(failure)"
            #expect(failure.phase == row.phase, "\(row.name)")
            #expect(failure.reason == row.reason, "\(row.name)")
            #expect(failure.status == row.status, "\(row.name)")
            #expect(sentence.contains(row.words), "\(row.name): \(sentence)")
            #expect(words[sentence] ?? row.words == row.words, "\(row.name): \(sentence)")
            words[sentence] = row.words
            #expect(server.requests.allSatisfy { !$0.target.contains("log-in") })
            scene.leave(server)
        }
    }

    @Test func `an unknown authority is named as such`() throws {
        let scene = try BadInputScene()
        let server = try WebServer(scene.loop) { [.text(Self.good($0))] }
        let failure = try scene.failure(server) { $0.tls = TLSConfiguration() }
        #expect(failure.phase == .token)
        #expect(failure.reason.rawValue.hasPrefix("tls"), "\(failure.reason)")
        #expect(failure.isCertificateFault)
        #expect(server.requests.isEmpty)
        scene.leave(server)
    }

    @Test func `a proxy that refuses the password says so, and the server gets nothing`() throws {
        let scene = try BadInputScene()
        let server = try WebServer(scene.loop) { [.text(Self.good($0))] }
        let proxy = try WebServer(scene.loop, tls: false) { request in
            let given = request.headers["proxy-authorization"] ?? ""
            #expect(given.hasPrefix("Basic "))
            let body = "<html>You are user:planted-password-0005, \(given)</html>"
            return [.text(Self.answer(407, body, "Proxy-Authenticate: Basic realm=\"\(given)\"\r\n"))]
        }
        let failure = try scene.failure(server) {
            $0.proxy = .url(try ProxyURI("http://user:planted-password-0005@127.0.0.1:\(proxy.port)"))
        }
        #expect(failure.phase == .token)
        #expect(failure.reason == .proxy)
        #expect(failure.status == 407)
        #expect(failure.isProxyAuthorizationFault)
        #expect(server.requests.isEmpty)
        scene.leave(server, proxy)
    }

    @Test func `the simulated service refuses a wrong secret, and a client of another region`() throws {
        for (id, secret, words) in [
            ("simulated-client", "planted-secret", "the secret of the OAuth client"),
            ("planted-client", "simulated-secret", "no OAuth client of this region"),
        ] {
            let stage = try PlatformStage()
            try stage.makePlatform(credentials: .client(id: id, secret: secret))
            try stage.makeChannel(total: .zero).open()
            try stage.run(untilLogged: "failed")
            let failure = try #require(stage.failure)
            #expect(failure.phase == .token && failure.reason == .httpUnauthorized)
            #expect("\(failure)".contains(words), "\(failure)")
            // One attempt: another one would be refused, too.
            #expect(stage.requests == ["POST /oauth/token"])
            stage.leave()
        }
    }
}

/// A host with a platform, and everything that it could print.
private final class BadInputScene: ProvisionedChannelDelegate {
    let loop: UVLoop
    private let log = SecretLog()
    private var failure: ChannelFailure?
    private var printed: [String] = []

    init() throws {
        loop = try UVLoop()
        loop.resolver.lookup = Stage.loopback
    }

    /// Opens a channel, and returns its failure. Nothing that was printed or logged has a secret in it.
    func failure(
        _ server: WebServer, change: (inout PlatformConfiguration) throws -> Void = { _ in }
    ) throws -> ChannelFailure {
        let base = "https://api.test:\(server.port)"
        var configuration = PlatformConfiguration()
        configuration.tls = try WebServer.trust()
        configuration.logger = log.logger
        try change(&configuration)
        let credentials = try PlatformCredentials.client(id: "client", secret: "planted-secret-0001")
        let platform = try Platform(
            region: try PlatformRegion(loginBase: base, apiBase: base), credentials: credentials, on: loop,
            configuration: configuration)
        var channelConfiguration = ChannelConfiguration()
        channelConfiguration.logger = log.logger
        var backoff = ReconnectPolicy.Backoff()
        // No attempt follows the first one.
        backoff.initialTotal = .zero
        channelConfiguration.reconnect = .backoff(backoff)
        let channel = try ProvisionedChannel(
            topics: ["v2.users.a.presence"], on: platform, delegate: self, configuration: channelConfiguration)
        channel.open()
        var rounds = 0
        while failure == nil, rounds < 20_000 {
            loop.run(for: .milliseconds(1))
            rounds += 1
        }
        let failure = try #require(self.failure)
        note(platform)
        note(channel)
        note(credentials)
        note(failure)
        note(failure.kind)
        expectNoSecret()
        return failure
    }

    func leave(_ servers: WebServer...) {
        for server in servers { server.close() }
        loop.run()
        #expect(loop.registry.openCount == 1, "\(loop)")
        #expect(loop.holdCount == 0)
    }

    private func note(_ value: Any) {
        var text = ""
        dump(value, to: &text)
        printed += ["\(value)", String(reflecting: value), text]
    }

    private func expectNoSecret() {
        // Basic: client:planted-secret-0001 and user:planted-password-0005.
        let forbidden = ["planted", "Y2xpZW50OnBsYW50ZWQt", "dXNlcjpwbGFudGVkLX"]
        for text in printed + log.lines {
            for secret in forbidden where text.contains(secret) { Issue.record("\(secret) is in: \(text)") }
        }
        #expect(!log.lines.isEmpty)
    }

    func channel(_ channel: ProvisionedChannel, didReceive notification: ChannelNotification) {}
    func channel(_ channel: ProvisionedChannel, didMiss gap: Gap) {}
    func channel(_ channel: ProvisionedChannel, didFail failure: ChannelFailure) { self.failure = failure }
    func channel(_ channel: ProvisionedChannel, willReconnect attempt: ReconnectAttempt) { note(attempt) }
}

/// A logger that keeps all lines.
private final class SecretLog: Sendable {
    private struct Handler: LogHandler {
        let log: SecretLog
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            log.content.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
        }
    }

    private let content = Mutex<[String]>([])

    var lines: [String] { content.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }
}
