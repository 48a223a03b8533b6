import Testing

@testable import GenesysLoop
@testable import ServerKit

/// What a proxy can do wrong: each case has its own failure, which names the proxy and not its password.
@Suite(.timeLimit(.minutes(patience(2)))) struct LinkProxyFailureTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var scheme = "http"
        var script: @Sendable () -> [ScriptedProxy.Step]
        var clause: String
        var status: Int?
        var mayPass = false
        var isAuthorization = false

        var testDescription: String { name }

        static func http(
            _ answer: String, _ clause: String, status: Int? = nil, mayPass: Bool = false,
            isAuthorization: Bool = false, ends: Bool = false
        ) -> Case {
            Case(
                name: String(answer.prefix(50)), script: { [.head, .say(Array(answer.utf8))] + (ends ? [.fin] : []) },
                clause: clause, status: status, mayPass: mayPass, isAuthorization: isAuthorization)
        }

        static func socks(
            _ name: String, _ script: [ScriptedProxy.Step], _ clause: String, mayPass: Bool = false,
            isAuthorization: Bool = false
        ) -> Case {
            let steps = { @Sendable in script }
            return Case(
                name: name, scheme: "socks5", script: steps, clause: clause, mayPass: mayPass,
                isAuthorization: isAuthorization)
        }
    }

    /// The end of a head without a body.
    private static let none = "Content-Length: 0\r\n\r\n"

    static let http: [Case] = [
        .http("HTTP/1.1 407 No\r\n\(none)", "wants authorization (407)", status: 407, isAuthorization: true),
        .http(
            "HTTP/1.0 407\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: Basic realm=\"a, b\"\r\n\(none)",
            "wants authorization (407, by Negotiate or Basic). Give a user and a password for", status: 407,
            isAuthorization: true),
        .http(
            "HTTP/1.1 407 X\r\nProxy-Authenticate: Negotiate, NTLM,Digest realm=\"Basic, x\", nonce=\"=\"\r\n\(none)",
            """
            wants authorization (407, by Negotiate, NTLM or Digest), and this client speaks only Basic (the proxy said: \
            X). Let the proxy take Basic, or use one on this machine
            """, status: 407, isAuthorization: true),
        .http("HTTP/1.1 403 Forbidden\r\n\(none)", "answered CONNECT with HTTP status 403.", status: 403),
        .http(
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 8\r\n\r\n<p>No\r\n!",
            "answered CONNECT with HTTP status 403 (the proxy said: No !)", status: 403),
        .http(
            "HTTP/1.1 502 Bad Gateway\r\nVia: 1.1 x\r\n\r\n<html>down", "HTTP status 502 (the proxy said: down)",
            status: 502, mayPass: true, ends: true),
        .http("HTTP/1.1 429 \r\nRetry-After: 7\r\n\(none)", "HTTP status 429", status: 429, mayPass: true),
        .http(
            "HTTP/1.1 302 Found\r\nLocation: http://login:81/?secret\r\n\r\n", "a redirect to login (HTTP status 302)",
            status: 302),
        .http("HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP status 101", status: 101),
        .http("SSH-2.0-OpenSSH_9.6\r\n", "did not answer CONNECT in HTTP"),
        .http("\u{0}\u{1}\u{2}\u{3}", "did not answer CONNECT in HTTP"),
        .http("HTTP/1.1 2000 OK\r\n\r\n", "did not answer CONNECT in HTTP"),
        .http("HTTP/1.1 200 OK\n\n", "a line of the HTTP head ends in a line feed alone"),
        .http(
            "HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 17_000))", "a head of more than 16384 bytes"),
        .http(
            String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 700), "a head of more than 16384 bytes"),
        .http(
            "HTTP/1.1 200 OK\r\n", "ended the connection before its tunnel was open", mayPass: true, ends: true),
        .http("", "ended the connection before its tunnel was open", mayPass: true, ends: true),
        .http("HTTP/1.1 503 Busy\r\n", "HTTP status 503", status: 503, mayPass: true, ends: true),
    ]

    static let socks: [Case] =
        [
            (1, "general failure", true), (2, "its rules do not allow", false), (3, "the network cannot", true),
            (4, "the server cannot", true), (5, "the server refused", true), (6, "the time to live", true),
            (7, "it does not know the command", false), (8, "it does not know the kind", false), (9, "unknown", false),
        ].map { code, clause, mayPass in
            .socks(
                "reply \(code)", [.bytes(3), .say([5, 0]), .bytes(16), .say([5, UInt8(code)])],
                "answered with SOCKS error \(code): \(clause)", mayPass: mayPass)
        } + [
            .socks(
                "no method", [.bytes(3), .say([5, 255])], "wants an authorization that this client was not given",
                isAuthorization: true),
            .socks("version 4", [.bytes(3), .say([4, 0])], "broke SOCKS5: its first byte is no version 5"),
            .socks("a method that was not offered", [.bytes(3), .say([5, 2])], "a method that was not offered"),
            .socks("HTTP", [.bytes(3), .say(Array("HTTP/1.1 400 Bad Request".utf8))], "is no version 5"),
            .socks(
                "kind of address", [.bytes(3), .say([5, 0]), .bytes(16), .say([5, 0, 0, 9, 0])],
                "the address of its reply is of an unknown kind"),
            .socks(
                "an early end", [.bytes(3), .say([5, 0]), .bytes(16), .say([5, 0, 0, 1]), .fin],
                "ended the connection before its tunnel was open", mayPass: true),
        ]

    @Test(arguments: http + socks, [Int.max, 1])
    func `a proxy's refusal or fault has its own words`(_ row: Case, chunk: Int) throws {
        // Small pieces work for any length of input; the longest inputs are tested in one piece only.
        if chunk == 1, row.clause.contains("16384") { return }
        let server = try ScriptedServer(UVLoop(), [])
        let proxy = try ScriptedProxy(to: server, row.script())
        proxy.chunk = chunk
        let failure = try Self.failure(through: proxy, server, scheme: row.scheme)
        #expect(failure.reason == .proxy)
        #expect(failure.phase == .proxy)
        #expect(failure.status == row.status)
        #expect(failure.isRetryable == row.mayPass)
        #expect(failure.isFinalOnReconnect == row.isAuthorization)
        #expect(failure.description.contains(row.clause), "\(failure)")
        if row.status == 429 { #expect(failure.retryAfter == .seconds(7)) }
        #expect(server.connections.isEmpty)
    }

    private static func failure(
        through proxy: ScriptedProxy, _ server: ScriptedServer, scheme: String?, user: String = "",
        _ change: (inout Deadlines) -> Void = { _ in }
    ) throws -> ChannelFailure {
        let probe = LinkProbe(server)
        try proxy.use(for: probe, scheme: scheme, user: user)
        try probe.run(change)
        #expect(probe.endCount == 1)
        let failure = try #require(probe.end?.failure)
        #expect(failure.description.contains("localhost:\(proxy.port)"), "\(failure)")
        return failure
    }

    @Test(arguments: [407, 200]) func `the password is in no description`(status: Int) throws {
        let server = try ScriptedServer(UVLoop(), [])
        let proxy = try ScriptedProxy(
            to: server, [.head, .say(Array("HTTP/1.1 \(status) hidden-word\r\n\r\nuser:hidden-word".utf8)), .fin])
        let probe = LinkProbe(server)
        try proxy.use(for: probe, user: "user:hidden-word@")
        try probe.run()
        let failure = try #require(probe.end?.failure)
        var dumped = ""
        dump((failure, probe.proxy, probe.link), to: &dumped)
        for text in ["\(failure)", dumped] { #expect(!text.contains("hidden") && !text.contains("user:")) }
    }

    @Test func `SOCKS credentials that are refused are a refusal`() throws {
        for answer in [[[5, 2], [1, 1]], [[5, 255]]] as [[[UInt8]]] {
            let server = try ScriptedServer(UVLoop(), [])
            let steps: [ScriptedProxy.Step] = [.bytes(4), .say(answer[0]), .bytes(answer.count == 1 ? 0 : 7)]
            let proxy = try ScriptedProxy(to: server, steps + answer.dropFirst().map { .say($0) })
            let failure = try Self.failure(through: proxy, server, scheme: "socks5", user: "me:pw@")
            #expect(failure.reason == .proxy)
            #expect(failure.isProxyAuthorizationFault && failure.isFinalOnReconnect && !failure.isRetryable)
            #expect(!failure.description.contains("pw"))
        }
    }

    @Test(arguments: ["http", "https"])
    func `a proxy that keeps back what it has to say does not hold up its refusal`(scheme: String) throws {
        let server = try ScriptedServer(UVLoop(), [])
        let answer = "HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM\r\nContent-Length: 100\r\n\r\nfirst"
        let proxy = try ScriptedProxy(to: server, tls: scheme == "https", [.head, .say(Array(answer.utf8)), .bytes(1)])
        let probe = LinkProbe(server)
        try proxy.use(for: probe, scheme: scheme)
        if scheme == "https" { probe.proxy?.context = try TLSContext(client: ScriptedServer.trust()) }
        let start = ContinuousClock.now
        try probe.run()
        #expect(ContinuousClock.now - start < .seconds(5))
        let failure = try #require(probe.end?.failure)
        #expect(failure.status == 407 && failure.message == "first")
    }

    @Test(arguments: ["http", "https", "socks5"])
    func `silence of a proxy ends with its own deadline`(scheme: String) throws {
        let server = try ScriptedServer(UVLoop(), [])
        let proxy = try ScriptedProxy(to: server, [.bytes(1_000_000)])
        let probe = LinkProbe(server)
        try proxy.use(for: probe, scheme: scheme)
        if scheme == "https" { probe.proxy?.context = try TLSContext(client: ScriptedServer.trust()) }
        try probe.run { $0.proxy = .milliseconds(20) }
        let failure = try #require(probe.end?.failure)
        #expect(failure.reason == .timeout)
        #expect(failure.phase == .proxy)
        #expect(failure.isRetryable)
        #expect(failure.description.contains("the proxy handshake took longer than its deadline"))
        #expect(failure.description.contains("\(scheme)://localhost:\(proxy.port)"), "\(failure)")
    }

    @Test func `a reset is told as one of the proxy`() throws {
        let server = try ScriptedServer(UVLoop(), [])
        let proxy = try ScriptedProxy(to: server, [.head, .reset])
        let failure = try Self.failure(through: proxy, server, scheme: nil)
        #expect(failure.reason == .proxy && failure.isRetryable)
        #expect(failure.description.contains("broke the connection before its tunnel was open"))
    }

    @Test func `a proxy that cannot be reached is named, whatever keeps it`() throws {
        let held = try ScriptedServer(UVLoop(), [])
        let (loop, port) = (held.loop, held.port)
        held.clientDidFinish()
        for answer: Result<[SocketAddress], ResolverError> in [
            .success([SocketAddress(numeric: "127.0.0.1", port: port)].compactMap(\.self)),
            .failure(ResolverError(code: -2, text: "not known", isNoSuchName: true)),
            .failure(ResolverError(code: -3, text: "try again", isNoSuchName: false)),
        ] {
            let server = try ScriptedServer(loop, [])
            loop.resolver.lookup = { _ in answer }
            let probe = LinkProbe(server)
            probe.proxy = ProxyRules(.url(try ProxyURI("http://u:hidden@proxy.test:\(port)"))) { _ in nil }
            try probe.run()
            let failure = try #require(probe.end?.failure)
            #expect(failure.reason == .proxy && failure.phase == .proxy)
            #expect(failure.description.contains("proxy http://proxy.test:\(port) could"), "\(failure)")
            #expect(!failure.description.contains("hidden"))
            if case .failure(let error) = answer { #expect(failure.isRetryable == !error.isNoSuchName) }
        }
    }

    @Test func `a proxy whose certificate is not trusted is told apart from the server`() throws {
        let server = try ScriptedServer(UVLoop(), tls: true, [])
        let proxy = try ScriptedProxy(to: server, tls: true, [])
        let other = try CertificateAuthority()
        let probe = LinkProbe(server)
        try proxy.use(for: probe)
        probe.proxy?.context = try TLSContext(client: TLSConfiguration(trust: .pem(other.certificatePEM)))
        try probe.run()
        let failure = try #require(probe.end?.failure)
        #expect(failure.reason == .tlsUnknownIssuer)
        #expect(failure.phase == .proxy)
        #expect(failure.isCertificateFault && failure.isFinalOnReconnect)
        #expect(failure.description.contains("the proxy https://localhost:\(proxy.port)"), "\(failure)")
    }

    @Test func `a proxy that speaks no TLS is told as such`() throws {
        let server = try ScriptedServer(UVLoop(), [])
        let proxy = try ScriptedProxy(to: server, [.bytes(1), .say(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))])
        let probe = LinkProbe(server)
        try proxy.use(for: probe, scheme: "https")
        probe.proxy?.context = try TLSContext(client: ScriptedServer.trust())
        try probe.run()
        let failure = try #require(probe.end?.failure)
        #expect(failure.reason == .proxy && failure.phase == .proxy && !failure.isRetryable)
        #expect(failure.description.contains("no TLS"), "\(failure)")
    }

    @Test func `an unusable proxy of the environment fails a link, and none goes around it`() throws {
        let server = try ScriptedServer(UVLoop(), [])
        let probe = LinkProbe(server)
        probe.proxy = ProxyRules(.environment) { $0 == "ALL_PROXY" ? "quic://u:hidden@proxy" : nil }
        try probe.run()
        let failure = try #require(probe.end?.failure)
        #expect(failure.reason == .proxy && !failure.isRetryable)
        #expect(failure.description.contains("ALL_PROXY") && !failure.description.contains("hidden"))
        #expect(server.connections.isEmpty)
    }
}
