import Testing

@testable import GenesysLoop

@Suite struct ProxyURITests {
    @Test(arguments: [
        ("http://proxy", "http://proxy:80"), ("HTTP://Proxy.Example:3128/", "http://proxy.example:3128"),
        ("https://proxy.example", "https://proxy.example:443"), ("socks5://10.0.0.1", "socks5://10.0.0.1:1080"),
        ("socks5h://[::1]:9", "socks5h://[::1]:9"), ("http://[FE80::1]", "http://[fe80::1]:80"),
        ("http://[FE80::1%25Eth0]:9", "http://[fe80::1%25Eth0]:9"),
        ("socks://proxy", "socks5://proxy:1080"), ("Socks://user:hidden@proxy:9/", "socks5://proxy:9"),
        ("SOCKS5H://proxy", "socks5h://proxy:1080"),
        ("http://user:hidden@proxy:1", "http://proxy:1"), ("http://user@proxy:", "http://proxy:80"),
    ])
    func `a usable URI is taken apart and printed without its user`(text: String, printed: String) throws {
        let uri = try ProxyURI(text)
        #expect("\(uri)" == printed)
        var dumped = ""
        dump(ProxySetting.url(uri), to: &dumped)
        #expect(!dumped.contains("hidden") && !"\(String(reflecting: uri))".contains("hidden"))
    }

    @Test(arguments: [
        ("http://a:b@p", "a", "b"), ("http://a@p", "a", ""), ("http://a:b:c@p", "a", "b:c"),
        ("http://a%40b:%3a%25@p", "a@b", ":%"), ("http://a:b@c@p", "a", "b@c"), ("https://:b@p", "", "b"),
        ("socks5://a%3Ab:c@p", "a:b", "c"), ("http://%C3%BC:x@p", "ü", "x"),
    ])
    func `user and password are percent-decoded`(text: String, user: String, password: String) throws {
        let uri = try ProxyURI(text)
        #expect(uri.hasCredentials)
        #expect(uri.credentials?.user == Array(user.utf8))
        #expect(uri.credentials?.password == Array(password.utf8))
        #expect(uri.host == "p")
    }

    @Test(arguments: [
        "", "proxy", "proxy:3128", "//proxy", "ftp://proxy", "socks4://proxy", "socks4a://proxy", "socks:proxy",
        "socks", "http:/proxy", "http://",
        "http://user@", "http://:80", "http://proxy:0", "http://proxy:65536", "http://proxy:x", "http://pro xy",
        "http://proxy/path", "http://proxy?q", "http://proxy#f", "http://[::1", "http://[fe80::1%eth0]",
        "http://1.2.3",
        "http://a%3Ab:hidden@proxy", "http://a:%0ahidden@proxy", "http://a:%zz@proxy", "http://a:hidden%2@proxy",
        "http://prüfung", "http://a\nb", "socks5://:hidden@proxy", "http://user:hidden/@proxy",
        "socks5://a:\(String(repeating: "hidden", count: 43))@proxy",
    ])
    func `an unusable URI is refused in words that do not repeat it`(text: String) {
        #expect { try ProxyURI(text) } throws: { error in
            guard let error = error as? InvalidURI else { return false }
            return error.description.hasSuffix(".") && !error.description.contains("hidden")
        }
    }

    @Test(arguments: ["socks4://a:hidden@proxy", "SOCKS4A://proxy"])
    func `a proxy that speaks SOCKS4 alone is refused by that name`(text: String) {
        #expect { try ProxyURI(text) } throws: { error in
            "\(error)"
                == "The URI of the proxy names SOCKS4, which cannot be spoken: give one that speaks SOCKS5 or HTTP."
        }
    }

    @Test func `a URI without a user has no credentials`() throws {
        for text in ["http://proxy", "http://@proxy"] { #expect(try ProxyURI(text).hasCredentials == false) }
    }
}
