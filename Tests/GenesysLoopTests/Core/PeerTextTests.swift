import Testing

@testable import GenesysLoop

/// What a failure quotes from a peer.
@Suite struct PeerTextTests {
    private func failure(
        _ body: String, _ headers: [String] = [], reason: String = "", uri: String = "wss://h/channels/x"
    ) throws -> ChannelFailure {
        try HTTPRefusal.failure(400, headers, reason: reason, body: body, uri: uri)
    }

    @Test(
        arguments: [
            (#"{"message":"Bad \"topic\"\n\u00e9","code":"bad.request"}"#, "Bad \"topic\" é"),
            (#"{"code":"x"}"#, #"{"code":"x"}"#), (#"{"message":7}"#, #"{"message":7}"#), ("[1]", "[1]"),
            (#"{"message":"cut off, "co"#, #"{"message":"cut off, "co"#), (" plain\r\n\ttext \u{0}", "plain text"),
            ("\u{1B}[2Jred\u{202E}der\u{2028}x", "[2Jred der x"), ("", nil), ("\r\n \t", nil),
            (
                "<!DOCTYPE html><html><head><title>T</title><style>a{b}</style></head><body><!-- > --><h1>No&amp;body</h1>"
                    + "<SCRIPT>x<y</SCRIPT ><p>here&#x27;s &unknown; &lt;b&gt;</body>", "No&body here's &unknown; <b>"
            ),
            ("<html><head><title>Only\na title</title></head></html>", "Only a title"), ("<a <b", nil),
            ("<script>never closed", nil),
            ("<p>&#34;a&#x2B;b&#39; &#X1b;[2J &#xD800; &#; &", "\"a+b' [2J &#xD800; &#; &"),
        ] as [(String, String?)])
    func `an excerpt is one line of what is meant for people`(body: String, expected: String?) throws {
        #expect(try failure(body).message == expected)
    }

    @Test func `a type says that a text is HTML, whatever its case and parameters`() throws {
        #expect(try failure("a<br>b", ["Content-Type: Text/HTML; charset=utf-8"]).message == "a b")
        #expect(try failure("a<br>b", ["Content-Type: text/plain"]).message == "a<br>b")
    }

    @Test func `bytes that are no UTF-8 are replaced, and the length is bounded`() throws {
        var refusal = try HTTPRefusal.of(400, body: "")
        refusal = HTTPRefusal(try StatusLine(utf8("HTTP/1.1 400")), HeaderFields(), body: [0x61, 0xFF, 0x62])
        #expect(refusal.words == "a\u{FFFD}b")
        for letter in ["a", "é", "€", "😀"] {
            let text = try #require(PeerText.excerpt(String(repeating: letter, count: 5_000)))
            #expect(text.hasSuffix("…") && (1_018...1_024).contains(text.utf8.count), "\(text.utf8.count)")
        }
        let longest = String(repeating: "a", count: 1_021)
        #expect(PeerText.excerpt(longest) == longest)
    }

    @Test(
        arguments: [
            ("Forbidden", nil), ("Service Unavailable", nil), ("", nil), ("Channel expired", "Channel expired"),
        ] as [(String, String?)])
    func `without a body, a reason phrase counts where it says more than the status`(
        phrase: String, expected: String?
    ) throws {
        #expect(try failure("", reason: phrase).message == expected)
        #expect(try failure("body", reason: phrase).message == "body")
    }

    @Test(arguments: ["0f6b0b7e-2f0c", String(repeating: "a", count: 128)])
    func `the correlation id is a member of the failure`(id: String) throws {
        #expect(try failure("", ["inin-correlation-ID: \(id)"]).correlationID == id)
    }

    @Test(arguments: ["", "a b", "caf\u{E9}", String(repeating: "a", count: 129), "streaming-1-secretpart"])
    func `what is no id, or repeats a secret, is not`(id: String) throws {
        let found = try failure("", ["ININ-Correlation-Id: \(id)"], uri: "wss://h/channels/streaming-1-secretpart")
        #expect(found.correlationID == nil || found.correlationID == "…")
    }

    @Test(
        arguments: [
            ("/sso", "h"), ("https://Login.Example.com:8443/x?y", "login.example.com"), ("//user:pw@other/x", "other"),
            ("ftp://files/x", "files"), ("https://[2001:DB8::1]:1/", "2001:db8::1"), ("", nil), ("mailto:me", nil),
            ("https://a b/", nil), ("?token=secret", "h"),
            // Invalid by RFC 3986, but sent in practice.
            ("/sso?to=wss://other/secret|x", "h"), ("sso page", "h"), ("//other/{x}", "other"),
            ("https://other/?to=//h/{x}", "other"), ("mailto:me?to=//other", nil),
        ] as [(String, String?)])
    func `a location is told by its host alone`(location: String, expected: String?) throws {
        let failure = try HTTPRefusal.failure(302, ["Location: \(location)"])
        #expect(failure.location == expected)
        #expect(failure.reason == .invalidStatusCode)
        if let expected { #expect(failure.description.contains("redirected the upgrade to \(expected) (")) }
        #expect(!failure.description.contains("secret") && !failure.description.contains("pw"))
    }

    // MARK: - Secrets

    private static let uri = "wss://h/channels/streaming-3-QWERTY12/x?token=ab%20cdef&n=1&flag%2Dname"

    @Test(arguments: [
        "Cannot GET /channels/streaming-3-QWERTY12/x?token=ab%20cdef&n=1&flag%2Dname", "no streaming-3-qwerty12!",
        "id=STREAMING-3-QWERTY12", "xstreaming-3-QWERTY12x", "token 'ab cdef'", "token ab%20cdef.", "flag-name",
        "cut off: /channels/streaming-3-QWE", #"{"message":"/channels\/streaming-3-QWERTY12"}"#,
        "<p>flag&#x2D;name ab&#32;cdef</p>", "<p>&#x2F;channels&#x2F;streaming-3-<b>QWERTY12</b> streaming-3-QWERTY12",
    ])
    func `what a server repeats of the URI is taken out`(body: String) throws {
        let message = try #require(try failure(body, uri: Self.uri).message).lowercased()
        for secret in ["streaming-3-qwe", "ab cdef", "ab%20cdef", "flag-name"] {
            #expect(!message.contains(secret), "\(message)")
        }
        #expect(message.contains("…"))
    }

    @Test func `plain words stay, and so does what only looks like a part`() throws {
        let words = "No such channels, x, n=1: unsecretive"
        #expect(try failure(words, uri: Self.uri).message == words)
        #expect(try failure("a secret, unsecretive", uri: "wss://h/channels/secret").message == "a …, unsecretive")
        #expect(try failure("GET / is not here", uri: "wss://h/").message == "GET / is not here")
    }
}
