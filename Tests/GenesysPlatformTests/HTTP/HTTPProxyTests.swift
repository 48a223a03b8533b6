import Testing

@testable import GenesysLoop
@testable import GenesysPlatform

/// Requests through proxies, by the rules of channels.
@Suite(.timeLimit(.minutes(2))) struct HTTPProxyTests {
    /// A stage whose requests go through a proxy on the loop.
    private func stage(_ loop: UVLoop, _ uri: String, lookup: Resolver.Lookup? = nil) throws -> Stage {
        try Stage(on: loop, lookup: lookup, change: { $0.proxy = .url(try ProxyURI(uri)) })
    }

    /// The failure of a request through an HTTP proxy that does something with CONNECT.
    private func failure(_ steps: [WebServer.Step], credentials: String = "") throws -> HTTPFailure {
        let loop = try UVLoop()
        let proxy = try WebServer(loop, tls: false) { _ in steps }
        let stage = try self.stage(loop, "http://\(credentials)127.0.0.1:\(proxy.port)")
        let failure = try stage.failure(.get, "https://api.test/planted") {
            try $0.addHeader("Authorization", SecretBytes("Bearer planted-token"))
            $0.connectDeadline = .milliseconds(300)
        }
        for text in ["\(failure)", String(reflecting: failure), failure.advice ?? ""] {
            #expect(!text.contains("planted"), "\(text)")
        }
        #expect(proxy.requests.allSatisfy { $0.headers["authorization"] == nil })
        stage.leave(proxy)
        return failure
    }

    @Test func `a request goes through the tunnel of an HTTP proxy, which learns the host and nothing else`() throws {
        let loop = try UVLoop()
        let server = try WebServer(loop) { _ in [WebServer.answer()] }
        let proxy = try WebServer(loop, tls: false) { _ in
            [.text("HTTP/1.1 200 Connection Established\r\nX-Proxy: planted\r\n\r\n"), .tunnel(server.port)]
        }
        // Only the proxy's name is looked up here.
        let stage = try stage(
            loop, "http://user:planted-password@proxy.test:\(proxy.port)",
            lookup: { $0.host == "proxy.test" ? Stage.loopback($0) : .failure(.combined([])) })
        for _ in 0..<2 {
            let answer = try stage.answer(.get, server.url()) {
                try $0.addHeader("Authorization", SecretBytes("Bearer planted-token"))
            }
            #expect(answer.status == 200 && answer.header(named: "x-proxy") == nil)
        }
        // The second request uses the tunnel of the first.
        #expect(proxy.requests.count == 1)
        let connect = try #require(proxy.requests.first)
        #expect(connect.method == "CONNECT" && connect.target == "api.test:\(server.port)")
        #expect(connect.headers["proxy-authorization"] == "Basic dXNlcjpwbGFudGVkLXBhc3N3b3Jk")
        #expect(connect.headers["authorization"] == nil)
        #expect(server.requests.allSatisfy { $0.headers["proxy-authorization"] == nil })
        stage.leave(server, proxy)
    }

    @Test func `a proxy that wants authorization says so`() throws {
        let refusal = WebServer.answer(
            "407 Proxy Authentication Required", "Proxy-Authenticate: Negotiate",
            "Proxy-Authenticate: Basic realm=\"x\"",
            body: "planted")
        for (credentials, advice) in [("", "Give a user and a password"), ("user:planted@", "Check the user")] {
            let failure = try failure([refusal], credentials: credentials)
            #expect(failure.reason == .proxy && failure.isAboutProxyAuthorization && !failure.isRetryable)
            #expect("\(failure)".contains("wants authorization (407, by Negotiate or Basic)"), "\(failure)")
            #expect(failure.advice?.hasPrefix(advice) == true)
        }
    }

    @Test func `a proxy that opens no tunnel is named, with what it did`() throws {
        let cases: [([WebServer.Step], String, Bool)] = [
            ([WebServer.answer("403 Forbidden")], "answered CONNECT with HTTP status 403", false),
            ([WebServer.answer("503 Busy")], "answered CONNECT with HTTP status 503", true),
            ([.fin], "ended the connection before its tunnel was open", true),
            ([.reset], "broke the connection before its tunnel was open", true),
            ([.text("SSH-2.0-planted\r\n\r\n"), .fin], "did not answer CONNECT in HTTP", false),
        ]
        for (steps, clause, isRetryable) in cases {
            let failure = try failure(steps)
            #expect(failure.reason == .proxy, "\(failure)")
            #expect("\(failure)".contains(clause), "\(failure)")
            #expect(failure.isRetryable == isRetryable, "\(failure)")
        }
        let silence = try failure([])
        #expect(silence.reason == .timeout)
        #expect("\(silence)".hasPrefix("The handshake with the proxy http://127.0.0.1:"), "\(silence)")
    }

    @Test func `a proxy that cannot be found or reached is named`() throws {
        let loop = try UVLoop()
        let unknown = try stage(
            loop, "http://proxy.test:1", lookup: { _ in .failure(.combined([])) })
        let failure = try unknown.failure(.get, "https://api.test/planted")
        #expect(failure.reason == .proxy)
        #expect("\(failure)".hasPrefix("The name of the proxy http://proxy.test:1 could not be resolved"), "\(failure)")
        let refused = try stage(loop, "socks5://127.0.0.1:1")
        let other = try refused.failure(.get, "https://api.test/planted")
        #expect(other.reason == .proxy && other.isRetryable)
        #expect("\(other)".contains("127.0.0.1:1: connection refused"), "\(other)")
        unknown.engine.close()
        refused.leave()
    }

    @Test func `a SOCKS5 proxy resolves the name of the server`() throws {
        let loop = try UVLoop()
        let server = try WebServer(loop) { _ in [WebServer.answer()] }
        let proxy = try SOCKSServer(loop, target: server.port)
        proxy.credentials = "user:pass"
        let stage = try stage(
            loop, "socks5://user:pass@127.0.0.1:\(proxy.port)", lookup: { _ in .failure(.combined([])) })
        #expect(try stage.answer(.get, server.url()).status == 200)
        #expect(proxy.requests == ["api.test"])
        proxy.close()
        stage.leave(server)
    }

    @Test func `a SOCKS5 proxy that opens no tunnel is named, with its reply`() throws {
        let cases: [(UInt8, String?, Bool, String, Bool)] = [
            (2, nil, false, "its rules do not allow the connection", false), (5, nil, false, "refused", true),
            (0, "user:other", false, "refused the user and the password", false),
            (0, nil, true, "takes neither user and password nor a client without them", false),
        ]
        for (reply, credentials, refusesAllMethods, clause, isRetryable) in cases {
            let loop = try UVLoop()
            let proxy = try SOCKSServer(loop, target: 1)
            proxy.reply = reply
            proxy.credentials = credentials
            proxy.refusesAllMethods = refusesAllMethods
            let stage = try stage(loop, "socks5://user:planted@127.0.0.1:\(proxy.port)")
            let failure = try stage.failure(.get, "https://api.test/planted")
            #expect(failure.reason == .proxy, "\(failure)")
            #expect("\(failure)".contains(clause), "\(failure)")
            #expect(failure.isRetryable == isRetryable, "\(failure)")
            #expect(!String(reflecting: failure).contains("planted"))
            proxy.close()
            stage.leave()
        }
    }

    @Test func `an https proxy is refused with a sentence`() throws {
        let loop = try UVLoop()
        let stage = try stage(loop, "https://user:planted@proxy.test")
        let failure = try stage.failure(.get, "https://api.test/")
        #expect(failure == .unsupportedProxy(try ProxyURI("https://user:planted@proxy.test")))
        #expect(failure.reason == .proxy)
        #expect(
            "\(failure)" == "An https:// proxy such as https://proxy.test:443 is not supported for requests yet.")
        stage.leave()
    }
}
