import Testing

@testable import GenesysLoop

@Suite struct InternationalHostTests {
    @Test(
        arguments: [
            ("bücher.example", "xn--bcher-kva.example"), ("BÜCHER.Example", "xn--bcher-kva.example"),
            ("münchen", "xn--mnchen-3ya"), ("ü", "xn--tda"), ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("例え", "xn--r8jz45g"),
            ("παράδειγμα", "xn--hxajbheg2az3al"), ("жук-а.РФ", "xn----8sbqq8b.xn--p1ai"), ("点看", "xn--3pxu8k"),
            // RFC 3492 §7.1 (B).
            ("他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye"), ("ليهمابتكلموشعربي؟", nil),
            ("למההםפשוטלאמדבריםעברית", "xn--4dbcagdahymbxekheh6e0a7fei0b"),
            // Letters that compose by canonical equivalence, and the other dots of UTS 46.
            ("bu\u{308}cher.example", "xn--bcher-kva.example"), ("BU\u{308}CHER", "xn--bcher-kva"),
            ("e\u{323}\u{302}", "xn--qlg"), ("и\u{306}", "xn--i1a"), ("各\u{3002}a", "xn--4pr.a"),
            ("a\u{FF0E}B\u{FF61}c", "a.b.c"),
            // Letters with a mapping, or without a single composed letter.
            ("faß", nil), ("ｂücher", nil), ("☃", nil), ("λόγος", nil), ("İü", nil), ("x\u{308}\u{301}ü", nil),
            ("i\u{307}ü", nil), ("\u{1F00}\u{345}", nil),
            ("\u{1100}\u{1161}", nil), ("a\u{200D}ü", nil), ("ü..a", nil), ("-ü_", nil),
            (String(repeating: "ü", count: 63), nil), (String(repeating: "a", count: 60) + "ü", nil),
            ("plain.example", "plain.example"),
        ] as [(String, String?)])
    func `a host is written in ASCII where its form is sure`(host: String, expected: String?) {
        #expect(InternationalHost.asciiForm(of: host.utf8) == expected)
    }

    @Test func `bytes that are no UTF-8 have no such form`() {
        #expect(InternationalHost.asciiForm(of: [0x61, 0xFF]) == nil)
    }

    @Test(arguments: ["wss://Bücher.example:8443/x", "ws://b%C3%BCcher.example", "wss://bücher.example?q=ü"])
    func `a URI's host is refused with the form that is taken`(uri: String) throws {
        let error = try #require(#expect(throws: InvalidURI.self) { try WebSocketURI(uri) })
        #expect(
            error.description
                == "The host has letters beyond ASCII; it has to be written as xn--bcher-kva.example, which means the same."
        )
        _ = try WebSocketURI("wss://xn--bcher-kva.example:8443/x")
    }

    @Test func `where the form is not sure, it is said how to get it`() throws {
        let error = try #require(#expect(throws: InvalidURI.self) { try WebSocketURI("wss://straße.example/") })
        #expect(error.description.contains("xn--") && error.description.contains("idn2"))
    }

    @Test func `beyond the host it is percent-encoding that is missing`() throws {
        for uri in ["wss://h/ü", "wss://h/?ü"] {
            let error = try #require(#expect(throws: InvalidURI.self) { try WebSocketURI(uri) })
            #expect(error.description.contains("percent-encoded"))
        }
        let user = try #require(#expect(throws: InvalidURI.self) { try WebSocketURI("wss://tokén@h/") })
        #expect(!user.description.contains("tok"))
    }

    @Test func `a proxy's host is refused in the same way, and its user is to be percent-encoded`() throws {
        let host = try #require(
            #expect(throws: InvalidURI.self) { try ProxyURI("http://a:hidden@bücher:80") })
        #expect(host.description.contains("xn--bcher-kva,") && !host.description.contains("hidden"))
        let user = try #require(#expect(throws: InvalidURI.self) { try ProxyURI("http://ü:hidden@proxy") })
        #expect(user.description.contains("percent-encoded") && !user.description.contains("hidden"))
        let rules = try #require(ProxyRules(.environment) { $0 == "https_proxy" ? "http://bücher" : nil })
        let cause = try #require(
            #expect(throws: LinkFailure.self) { try rules.check(WebSocketURI("wss://h/")) })
        let failure = ChannelFailure(cause)
        #expect(failure.description.contains("https_proxy") && failure.description.contains("xn--bcher-kva"))
    }

    @Test(arguments: ["https://bücher.example/sso", "https://b%C3%BCcher.example:1/sso"])
    func `a redirect's host is told in ASCII`(location: String) throws {
        var trail = RedirectTrail(try WebSocketURI("wss://h/"), limit: 1)
        let fault = try #require(
            #expect(throws: RedirectError.self) { try trail.follow(status: 302, location: location) })
        #expect(fault.description.contains("xn--bcher-kva.example"))
        #expect(try HTTPRefusal.failure(302, ["Location: \(location)"]).location == "xn--bcher-kva.example")
    }

    @Test func `the server name of a TLS configuration too`() {
        let error = #expect(throws: TLSError.self) { _ = try HostName("bücher.example") }
        #expect(error?.description.contains("xn--bcher-kva.example") == true)
    }
}
