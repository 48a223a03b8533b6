import Testing

@testable import GenesysLoop

@Suite struct ProxyRulesTests {
    private func proxy(_ environment: [String: String], for uri: String = "wss://api.example") throws -> String? {
        let rules = ProxyRules(.environment) { environment[$0] }
        return try rules?.proxy(for: WebSocketURI(uri)).map(\.description)
    }

    @Test(
        arguments: [
            (["https_proxy": "http://a"], "http://a:80"), (["HTTPS_PROXY": "http://a"], "http://a:80"),
            (["https_proxy": "http://a", "HTTPS_PROXY": "http://b"], "http://a:80"),
            (["https_proxy": "", "HTTPS_PROXY": "http://b"], "http://b:80"),
            (["ALL_PROXY": "socks5://c"], "socks5://c:1080"), (["all_proxy": "d:8080"], "http://d:8080"),
            (["HTTPS_PROXY": "http://b", "all_proxy": "http://d"], "http://b:80"),
            (["http_proxy": "http://e", "HTTP_PROXY": "http://f"], nil), ([:], nil), (["https_proxy": ""], nil),
            (["HTTPS_PROXY": "http://u:p@b:1"], "http://b:1"), (["HTTPS_PROXY": " http://a:1\r\n"], "http://a:1"),
            (["HTTPS_PROXY": "\tproxy:3128\n"], "http://proxy:3128"),
            (["https_proxy": " \n", "ALL_PROXY": "c"], "http://c:80"),
            (["ALL_PROXY": "socks://127.0.0.1:1080/"], "socks5://127.0.0.1:1080"),
            (["ALL_PROXY": "SOCKS://[::1]"], "socks5://[::1]:1080"),
            (["HTTPS_PROXY": "proxy:3128/"], "http://proxy:3128"),
        ] as [([String: String], String?)])
    func `a secure URI has the proxy of HTTPS, or that of all`(environment: [String: String], found: String?) throws {
        #expect(try proxy(environment) == found)
    }

    @Test(
        arguments: [
            (["http_proxy": "http://a"], "http://a:80"), (["HTTP_PROXY": "http://a"], nil),
            (["https_proxy": "http://a"], nil), (["ALL_PROXY": "http://b", "HTTP_PROXY": "http://a"], "http://b:80"),
            (["http_proxy": "http://a", "all_proxy": "http://b"], "http://a:80"),
        ] as [([String: String], String?)])
    func `an open URI has the proxy of HTTP in small letters, or that of all`(
        environment: [String: String], found: String?
    ) throws {
        #expect(try proxy(environment, for: "ws://api.example") == found)
    }

    @Test func `what cannot be used is a failure for those whom it concerns`() throws {
        let environment = ["HTTPS_PROXY": "gopher://u:hidden@a", "http_proxy": "http://b", "no_proxy": "near.example"]
        let rules = try #require(ProxyRules(.environment) { environment[$0] })
        #expect(throws: ProxyRules.InvalidVariable.self) { try rules.proxy(for: WebSocketURI("wss://api.example")) }
        #expect(try rules.proxy(for: WebSocketURI("wss://near.example")) == nil)
        #expect(try rules.proxy(for: WebSocketURI("ws://api.example"))?.host == "b")
        #expect {
            try rules.check(WebSocketURI("wss://api.example"))
        } throws: { error in
            guard let cause = error as? LinkFailure else { return false }
            let failure = ChannelFailure(cause)
            return failure.reason == .proxy && failure.description.contains("HTTPS_PROXY")
                && !failure.description.contains("hidden")
        }
    }

    @Test func `a proxy that is given is for every host, whatever the environment says`() throws {
        let rules = ProxyRules(.url(try ProxyURI("socks5://s"))) { _ in "*" }
        #expect(try rules?.proxy(for: WebSocketURI("ws://localhost"))?.host == "s")
        #expect(ProxyRules(.none) { _ in "http://a" } == nil)
        #expect(ProxyRules(.environment) { $0 == "no_proxy" ? "*" : "https://a" }?.needsContext == true)
    }

    // MARK: - Credentials beside the URI

    @Test func `a pair is split at its first colon and not decoded`() {
        let credentials = ProxyCredentials(Array("u:p:%41 ".utf8))
        #expect(credentials?.user == Array("u".utf8))
        #expect(credentials?.password == Array("p:%41 ".utf8))
        for pair in ["", "user", "u:\u{7F}", "u:a\tb"] { #expect(ProxyCredentials(Array(pair.utf8)) == nil) }
    }

    @Test func `credentials given beside the environment are those of its proxy`() throws {
        let credentials = try #require(ProxyCredentials(Array("user:hidden".utf8)))
        let environment = ["https_proxy": "a", "http_proxy": "http://u:secret@b", "no_proxy": "near.example"]
        let rules = try #require(ProxyRules(.environment, credentials: credentials) { environment[$0] })
        #expect(try rules.proxy(for: WebSocketURI("wss://api.example"))?.credentials == credentials)
        #expect(try rules.proxy(for: WebSocketURI("wss://near.example")) == nil)
        let error = #expect(throws: ProxyRules.InvalidVariable.self) {
            try rules.proxy(for: WebSocketURI("ws://api.example"))
        }
        #expect(error?.clause.contains("others are given beside it") == true)
    }

    @Test func `the limits of SOCKS5 hold for credentials beside the URI, and no printed form shows them`() throws {
        let long = try #require(ProxyCredentials(Array("user:\(String(repeating: "x", count: 256))".utf8)))
        #expect(throws: InvalidURI.self) { try ProxyURI("socks5://a").with(long) }
        #expect(try ProxyURI("http://a").with(long).description == "http://a:80")
        var dumped = ""
        dump(long, to: &dumped)
        #expect(!"\(long)\(String(reflecting: long))\(dumped)".contains("x"))
    }

    // MARK: - NO_PROXY

    @Test(arguments: [
        ("*", "wss://api.example"), ("a, * ,b", "wss://api.example"), ("api.example", "wss://api.example"),
        ("EXAMPLE", "wss://Api.example"), (".example", "wss://api.example"), (".example", "wss://example"),
        ("*.example", "wss://api.example"), ("api.example.", "wss://api.example"),
        ("api.example", "wss://api.example."),
        ("a,,example:443", "wss://api.example"), ("example:8443", "wss://api.example:8443"),
        ("x example", "wss://example"), ("x\nexample\n", "wss://example"),
        ("\r\nx\r\n\tapi.example\r\n", "wss://api.example"),
        ("x,\n  example,\n  y", "wss://example"), ("x\u{B}y\u{C}example\u{A0}z\u{2028}", "wss://example"),
        ("\n*\n", "wss://api.example"), ("10.0.0.0/8\n::1\n", "wss://[::1]"),
        ("127.0.0.1", "wss://127.0.0.1"), ("127.0.0.1:443", "wss://127.0.0.1"), ("10.0.0.0/8", "wss://10.255.1.2"),
        ("10.1.128.0/17", "wss://10.1.129.0"), ("0.0.0.0/0", "wss://8.8.8.8"), ("10.0.0.7/32", "wss://10.0.0.7"),
        ("::1", "wss://[::1]"), ("[::1]", "wss://[::1]"), ("[::1]:443", "wss://[0:0:0:0:0:0:0:1]"),
        ("fd00::/8", "wss://[fd12::1]"), ("2001:db8::/33", "wss://[2001:db8:7fff::1]"), ("::/0", "wss://[fe80::1]"),
        ("10.0.0.0/8", "wss://[::ffff:10.1.2.3]"), ("[fd00::]/8", "wss://[fd12::1]"),
    ])
    func `a host of the list is connected to directly`(list: String, uri: String) throws {
        for name in ["no_proxy", "NO_PROXY"] {
            #expect(try proxy(["ALL_PROXY": "http://a", name: list], for: uri) == nil)
        }
    }

    @Test(arguments: [
        ("", "wss://api.example"), ("pi.example", "wss://api.example"), ("api.example", "wss://example"),
        ("example.org", "wss://api.example"), ("example:8443", "wss://api.example"), ("xample", "wss://example"),
        ("example", "wss://example.org"), ("1", "wss://127.0.0.1"), ("0.0.1", "wss://127.0.0.1"),
        ("127.0.0.1:80", "wss://127.0.0.1"), ("10.0.0.0/8", "wss://11.0.0.1"), ("10.1.128.0/17", "wss://10.1.127.255"),
        ("10.0.0.0/33", "wss://10.0.0.0"), ("10.0.0.0/", "wss://10.0.0.0"), ("10.0.0/8", "wss://10.0.0.0"),
        ("10.0.0.0/x", "wss://10.0.0.0"), ("0.0.0.0/0", "wss://[fe80::1]"), ("::1", "wss://[::2]"),
        ("fd00::/8", "wss://[fe00::1]"), ("2001:db8::/33", "wss://[2001:db8:8000::1]"), ("::/129", "wss://[::1]"),
        ("10.0.0.0/8", "wss://10.example"), ("be.ef", "wss://beef"), ("*example", "wss://api.example"),
        (".", "wss://a"),
        ("::ffff:0:0/96", "wss://[::1]"), (",", "wss://api.example"),
    ])
    func `any other host is not`(list: String, uri: String) throws {
        #expect(try proxy(["ALL_PROXY": "http://a", "NO_PROXY": list], for: uri) == "http://a:80")
    }

    @Test func `the list in small letters wins`() throws {
        let environment = ["ALL_PROXY": "http://a", "no_proxy": "other", "NO_PROXY": "*"]
        #expect(try proxy(environment) == "http://a:80")
    }
}
