import Testing

@testable import GenesysLoop

@Suite struct RedirectTrailTests {
    /// Resolved against `ws://a/b/c/d?q`: the examples of RFC 3986 §5.4 that can be a WebSocket's, then our own.
    static let resolved: [(String, String)] = [
        ("g", "ws://a/b/c/g"), ("./g", "ws://a/b/c/g"), ("g/", "ws://a/b/c/g/"), ("/g", "ws://a/g"), ("//g", "ws://g/"),
        ("?y", "ws://a/b/c/d?y"), ("g?y", "ws://a/b/c/g?y"), ("#s", "ws://a/b/c/d?q"), ("g#s", "ws://a/b/c/g"),
        (";x", "ws://a/b/c/;x"), ("g;x?y#s", "ws://a/b/c/g;x?y"), ("", "ws://a/b/c/d?q"), (".", "ws://a/b/c/"),
        ("./", "ws://a/b/c/"), ("..", "ws://a/b/"), ("../", "ws://a/b/"), ("../g", "ws://a/b/g"), ("../..", "ws://a/"),
        ("../../", "ws://a/"), ("../../g", "ws://a/g"), ("../../../g", "ws://a/g"), ("../../../../g", "ws://a/g"),
        ("/./g", "ws://a/g"), ("/../g", "ws://a/g"), ("g.", "ws://a/b/c/g."), (".g", "ws://a/b/c/.g"),
        ("..g", "ws://a/b/c/..g"), ("./../g", "ws://a/b/g"), ("./g/.", "ws://a/b/c/g/"), ("g/./h", "ws://a/b/c/g/h"),
        ("g/../h", "ws://a/b/c/h"), ("g;x=1/../y", "ws://a/b/c/y"), ("g?y/../x", "ws://a/b/c/g?y/../x"),
        ("http://h/p", "ws://h/p"), ("HTTPS://H:8443/p?q", "wss://h:8443/p?q"), ("wss://h", "wss://h/"),
        ("//user:word@h:81/x", "ws://h:81/x"), ("wss://[::1]:9/x", "wss://[::1]:9/x"), ("/a:b", "ws://a/a:b"),
        ("?a:b//c", "ws://a/b/c/d?a:b//c"), ("//h?q", "ws://h/?q"),
    ]

    @Test(arguments: resolved)
    func `a location is resolved as RFC 3986 says`(location: String, expected: String) throws {
        let found = try URIReference.resolve(location, against: WebSocketURI("ws://a/b/c/d?q"))
        #expect(try found == WebSocketURI(expected))
    }

    @Test(arguments: [
        ("/x", "ws://[fe80::1%25eth0]:9/x"), ("?y", "ws://[fe80::1%25eth0]:9/a?y"),
        // A server knows its address, but not our interface.
        ("ws://[fe80::1]:9/x", "ws://[fe80::1%25eth0]:9/x"), ("//[fe80::2]/x", "ws://[fe80::2%25eth0]/x"),
        ("//[2001:db8::1]/x", "ws://[2001:db8::1]/x"), ("//h/x", "ws://h/x"),
    ])
    func `a redirect on one link stays on the interface of its base`(location: String, expected: String) throws {
        let found = try URIReference.resolve(location, against: WebSocketURI("ws://[fe80::1%25eth0]:9/a"))
        #expect(try found == WebSocketURI(expected))
    }

    @Test func `a redirect cannot name an interface of ours`() throws {
        let base = try WebSocketURI("ws://[fe80::1%25eth0]/a")
        #expect(throws: InvalidURI.self) { try URIReference.resolve("ws://[fe80::1%25eth1]/", against: base) }
        #expect(throws: InvalidURI.self) { try URIReference.resolve("//[fe80::1%25eth0]/", against: base) }
    }

    @Test(arguments: [
        "ftp://h/", "http:g", "g h", "//", "///x", "//h:0/", "//h:x/", "//1.2/", "mailto:x", "%", "/\u{e9}",
    ])
    func `what is no WebSocket's URI is refused without being repeated`(location: String) throws {
        var trail = RedirectTrail(try WebSocketURI("ws://a/b"), limit: 5)
        let former = trail
        let fault = #expect(throws: RedirectError.self) { try trail.follow(status: 302, location: location) }
        #expect(trail == former)
        guard case .invalid = fault else {
            Issue.record("\(String(describing: fault))")
            return
        }
    }

    @Test func `four statuses are followed, with a location, within the limit`() throws {
        let start = try WebSocketURI("wss://h/")
        for status in [301, 302, 307, 308] {
            var trail = RedirectTrail(start, limit: 1)
            #expect(try trail.follow(status: status, location: "/x"))
            #expect(trail.uri.target == "/x")
        }
        for status in [200, 300, 303, 304, 305, 306, 309, 401, 503] {
            var trail = RedirectTrail(start, limit: 1)
            #expect(try !trail.follow(status: status, location: "/x"))
            #expect(trail.uri == start)
        }
        var trail = RedirectTrail(start, limit: 1)
        #expect(try !trail.follow(status: 302, location: nil))
        trail = RedirectTrail(start, limit: 0)
        #expect(try !trail.follow(status: 302, location: "/x"))
    }

    @Test func `a circle ends at the limit, and encryption is never given up`() throws {
        var trail = RedirectTrail(try WebSocketURI("ws://h/"), limit: 5)
        for _ in 0..<5 { #expect(try trail.follow(status: 302, location: "/")) }
        #expect(throws: RedirectError.tooMany(limit: 5)) { try trail.follow(status: 302, location: "/") }
        trail = RedirectTrail(try WebSocketURI("ws://h/"), limit: 5)
        #expect(try trail.follow(status: 301, location: "wss://h/"))
        #expect(throws: RedirectError.unencrypted) { try trail.follow(status: 301, location: "http://h/") }
        #expect(try trail.follow(status: 301, location: "//other/"))
        #expect(trail.uri.isSecure)
    }

    @Test(arguments: [
        ("/x", false), ("ws://h/x", false), ("ws://H:80/x", false), ("ws://h:81/x", true), ("ws://other/", true),
        ("wss://h/", true), ("ws://h./", true),
    ])
    func `what the host added stays with host, port and scheme, unless it is public`(
        location: String, leaves: Bool
    ) throws {
        let headers = [
            "Authorization", "COOKIE", "X-API-Key", "api-key", "X-Auth-Token", "X-Amz-Security-Token", "X-Trace",
            "Origin",
        ].map { (name: $0, value: "secret") }
        let subprotocols = ["v1.chat", "bearer.secret"]
        var trail = RedirectTrail(try WebSocketURI("ws://h/"), limit: 5)
        func check(_ leaves: Bool) {
            #expect(trail.permitted(headers: headers, public: []).count == (leaves ? 0 : headers.count))
            #expect(
                trail.permitted(headers: headers, public: ["x-TRACE", "x-other"]).map(\.name)
                    == (leaves ? ["X-Trace"] : headers.map(\.name)))
            #expect(trail.permitted(subprotocols: subprotocols, public: []) == (leaves ? [] : subprotocols))
            #expect(
                trail.permitted(subprotocols: subprotocols, public: ["v1.chat"])
                    == (leaves ? ["v1.chat"] : subprotocols))
        }
        check(false)
        #expect(try trail.follow(status: 302, location: location))
        check(leaves)
        guard leaves, !trail.uri.isSecure else { return }
        // Back again.
        #expect(try trail.follow(status: 302, location: "ws://h/"))
        check(true)
    }
}
