import Testing

@testable import GenesysLoop

@Suite struct WebSocketURITests {
    struct Row: Sendable {
        var uri: String
        var isSecure = true
        var host: String
        var isIPv6 = false
        var port: UInt16 = 443
        var target = "/"
        var header: String
    }

    static let valid: [Row] = [
        Row(uri: "wss://example.com", host: "example.com", header: "example.com"),
        Row(uri: "ws://example.com", isSecure: false, host: "example.com", port: 80, header: "example.com"),
        Row(
            uri: "WSS://Example.COM/Path", host: "example.com", target: "/Path", header: "example.com"),
        Row(
            uri: "wss://streaming.mypurecloud.com/channels/streaming-2-aa5h48uk0srhpugh2994klj918",
            host: "streaming.mypurecloud.com", target: "/channels/streaming-2-aa5h48uk0srhpugh2994klj918",
            header: "streaming.mypurecloud.com"),
        Row(uri: "wss://h:443/", host: "h", header: "h"),
        Row(uri: "wss://h:80/", host: "h", port: 80, header: "h:80"),
        Row(uri: "ws://h:443/", isSecure: false, host: "h", port: 443, header: "h:443"),
        Row(uri: "ws://h:080", isSecure: false, host: "h", port: 80, header: "h"),
        Row(uri: "wss://h:1/", host: "h", port: 1, header: "h:1"),
        Row(uri: "wss://h:65535/", host: "h", port: 65_535, header: "h:65535"),
        Row(uri: "wss://h:/a", host: "h", target: "/a", header: "h"),
        Row(uri: "wss://h?a=b", host: "h", target: "/?a=b", header: "h"),
        Row(uri: "wss://h?a=b@c:d//e", host: "h", target: "/?a=b@c:d//e", header: "h"),
        Row(uri: "wss://h/a%20b?c=%C3%A9&d=1?2", host: "h", target: "/a%20b?c=%C3%A9&d=1?2", header: "h"),
        Row(uri: "wss://h//a/../b;c=(1)", host: "h", target: "//a/../b;c=(1)", header: "h"),
        Row(uri: "wss://h.example./", host: "h.example.", header: "h.example."),
        Row(uri: "wss://my_host-1.example", host: "my_host-1.example", header: "my_host-1.example"),
        Row(uri: "wss://1e100.net", host: "1e100.net", header: "1e100.net"),
        Row(uri: "ws://127.0.0.1:9001", isSecure: false, host: "127.0.0.1", port: 9_001, header: "127.0.0.1:9001"),
        Row(uri: "wss://[::1]/a", host: "::1", isIPv6: true, target: "/a", header: "[::1]"),
        Row(
            uri: "wss://[2001:DB8::A]:8443", host: "2001:db8::a", isIPv6: true, port: 8_443,
            header: "[2001:db8::a]:8443"),
        Row(uri: "wss://[1:2:3:4:5:6:7:8]", host: "1:2:3:4:5:6:7:8", isIPv6: true, header: "[1:2:3:4:5:6:7:8]"),
        Row(uri: "wss://[::]?q", host: "::", isIPv6: true, target: "/?q", header: "[::]"),
        Row(uri: "wss://[::ffff:192.0.2.1]", host: "::ffff:192.0.2.1", isIPv6: true, header: "[::ffff:192.0.2.1]"),
        Row(uri: "wss://[1::]", host: "1::", isIPv6: true, header: "[1::]"),
    ]

    @Test(arguments: valid) func `a URI is taken apart`(row: Row) throws {
        let uri = try WebSocketURI(row.uri)
        #expect(uri.isSecure == row.isSecure)
        #expect(uri.host == row.host)
        #expect(uri.isIPv6Literal == row.isIPv6)
        #expect(uri.port == row.port)
        #expect(uri.target == row.target)
        #expect(uri.hostHeader == row.header)
    }

    @Test(arguments: [
        ("wss://[fe80::1%25eth0]/", "fe80::1", "eth0", "[fe80::1]", "[fe80::1%25eth0]"),
        ("wss://[FE80::A%25Eth0]:8443/", "fe80::a", "Eth0", "[fe80::a]:8443", "[fe80::a%25Eth0]:8443"),
        ("wss://[fe80::1%253]/", "fe80::1", "3", "[fe80::1]", "[fe80::1%253]"),
        ("wss://[fe80::1%25%65n0%2e1]/", "fe80::1", "en0.1", "[fe80::1]", "[fe80::1%25en0.1]"),
        ("wss://[fe80::1%25a%3ab%25]/", "fe80::1", "a:b%", "[fe80::1]", "[fe80::1%25a%3Ab%25]"),
        ("wss://[::1%25lo]:443", "::1", "lo", "[::1]", "[::1%25lo]"),
    ])
    func `a zone says where to connect, and is in no header`(
        string: String, host: String, zone: String, header: String, authority: String
    ) throws {
        let uri = try WebSocketURI(string)
        #expect(uri.host == host)
        #expect(uri.zone == zone)
        #expect(uri.destination == "\(host)%\(zone)")
        #expect(uri.isIPv6Literal)
        // RFC 6874 §4.
        #expect(uri.hostHeader == header)
        #expect(uri.authority == authority)
        #expect(uri.redacted == "wss://\(authority)/…")
        #expect(try WebSocketURI("wss://\(uri.authority)/") == WebSocketURI("wss://\(authority)/"))
        #expect(try uri != WebSocketURI("wss://\(uri.hostHeader)/"))
    }

    static let invalid = [
        "", " ", "example.com", "/path", "//h/", "http://h", "https://h/", "wss:", "wss:/h", "wss:h", "ws//h", "://h",
        "wssx://h", " wss://h", "wss://h ", "wss://h/a b", "wss://h/\t", "wss://h/\r\nX: y", "wss://h/\u{0}",
        "wss://h/é", "wss://é.example/", "wss://h/#f", "wss://h#", "wss://h/?a#b", "wss://", "wss:///a", "wss://:80/",
        "wss://?q", "wss://user@h/", "wss://user:secret@h/", "wss://@h/", "wss://h:0/", "wss://h:65536/",
        "wss://h:99999999999999999999/", "wss://h:-1/", "wss://h:+1/", "wss://h:a/", "wss://h:80a/", "wss://h:8:0/",
        "wss://h/%", "wss://h/%2", "wss://h/%zz", "wss://h/?%4", "wss://h/a%GG", "wss://h/<a>", "wss://h/\"",
        "wss://h/a\\b",
        "wss://h/a|b", "wss://h/{a}", "wss://h/a[0]", "wss://h/^", "wss://h/`", "wss://h%41/", "wss://a..b/",
        "wss://.a/", "wss://./", "wss://a,b/", "wss://a\\b/", "wss://[::1/", "wss://[::1]a/", "wss://[]/", "wss://[:]/",
        "wss://[1]/", "wss://[1:2:3:4:5:6:7]/", "wss://[1:2:3:4:5:6:7:8:9]/", "wss://[1::2::3]/", "wss://[::12345]/",
        "wss://[::g]/", "wss://[:::]/", "wss://[1:2:3:4:5:6:7::8]/", "wss://[fe80::1%eth0]/",
        "wss://[fe80::1%25]/", "wss://[fe80::1%]/", "wss://[fe80::1%25a%]/", "wss://[fe80::1%25a%2]/",
        "wss://[fe80::1%25a%20b]/", "wss://[fe80::1%25%00]/", "wss://[fe80::1%25a%C3%A9]/", "wss://[fe80::1%25a/b]/",
        "wss://[fe80::1%25a:b]/", "wss://[fe80::1%2512345678901234567]/", "wss://[1.2.3.4%25eth0]/",
        "wss://[%25eth0]/", "wss://h%25eth0/", "wss://127.0.0.1%25eth0/",
        "wss://[v1.a]/", "wss://[::1.2.3]/", "wss://[::1.2.3.256]/", "wss://[1.2.3.4::]/", "wss://[::1]]/",
        "wss://::1/",
        "wss://127.1/", "wss://1.2.3.256/", "wss://1.2.3.04/", "wss://0x7f.1/", "wss://0x7f000001/",
        "wss://2130706433/",
        "wss://1.2.3.4./", "wss://a.0x1/",
    ]

    @Test(arguments: invalid) func `a wrong URI is refused with a sentence`(string: String) throws {
        do {
            let uri = try WebSocketURI(string)
            Issue.record("taken as \(uri.host) \(uri.port) \(uri.target)")
        } catch {
            #expect(error.description.hasSuffix(".") || error.description.hasSuffix(")."))
        }
    }

    @Test func `long URIs and long hosts have a limit`() throws {
        let path = String(repeating: "a", count: WebSocketURI.maxByteCount - "wss://h/".utf8.count)
        _ = try WebSocketURI("wss://h/" + path)
        #expect(throws: InvalidURI.self) { try WebSocketURI("wss://h/a" + path) }
        let label = String(repeating: "a", count: 63)
        _ = try WebSocketURI("wss://\(label).\(label).\(label).\(label.dropLast(2))")
        #expect(throws: InvalidURI.self) { try WebSocketURI("wss://\(label).\(label).\(label).\(label.dropLast())") }
        #expect(throws: InvalidURI.self) { try WebSocketURI("wss://a\(label)") }
    }

    @Test func `neither descriptions nor errors hold the secret of a URI`() throws {
        let secret = "streaming-2-aa5h48uk0srhpugh2994klj918"
        let uri = try WebSocketURI("wss://streaming.example:8443/channels/\(secret)?token=\(secret)")
        #expect(uri.redacted == "wss://streaming.example:8443/…")
        #expect("\(uri)" == uri.redacted)
        #expect(String(reflecting: uri) == uri.redacted)
        for string in ["wss://h/\(secret)%zz", "wss://\(secret)@h", "https://h/\(secret)", "wss://h/\(secret)#a"] {
            let error = #expect(throws: InvalidURI.self) { try WebSocketURI(string) }
            #expect(error?.description.contains(secret) == false)
        }
    }

    @Test func `loopback hosts are known`() throws {
        for host in ["localhost", "127.0.0.1", "127.9.8.7", "[::1]", "[0:0:0:0:0:0:0:1]", "LOCALHOST"] {
            #expect(try WebSocketURI("ws://\(host)/").isLoopback, "\(host)")
        }
        for host in ["127.example", "128.0.0.1", "[::2]", "localhost.example", "127.0.0.1.example"] {
            #expect(try !WebSocketURI("ws://\(host)/").isLoopback, "\(host)")
        }
    }
}
