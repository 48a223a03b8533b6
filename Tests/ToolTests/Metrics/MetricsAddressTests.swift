import Testing

@testable import genesys_loop

@Suite struct MetricsAddressTests {
    @Test(arguments: [
        ("127.0.0.1:9464", "127.0.0.1", 9464, true), (":9464", "127.0.0.1", 9464, true),
        ("localhost:0", "127.0.0.1", 0, true), ("127.9.8.7:1", "127.9.8.7", 1, true), ("[::1]:80", "::1", 80, true),
        ("0.0.0.0:9464", "0.0.0.0", 9464, false), ("[::]:65535", "::", 65_535, false),
        ("192.0.2.7:00080", "192.0.2.7", 80, false), ("[2001:db8::7]:80", "2001:db8::7", 80, false),
        ("[0:0:0:0:0:0:0:1]:80", "0:0:0:0:0:0:0:1", 80, true), ("[::1%lo]:80", "::1%lo", 80, true),
    ])
    func `an address is numeric, localhost or left out, which is loopback`(
        text: String, host: String, port: UInt16, isLoopback: Bool
    ) throws {
        let address = try MetricsAddress(text)
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.isLoopback == isLoopback)
    }

    @Test(arguments: [
        ("", "colon"), ("9464", "colon"), ("127.0.0.1", "colon"), (":", "port"), ("127.0.0.1:", "port"),
        (":65536", "port"), (":-1", "port"), (":+1", "port"), (": 80", "port"), (":0x50", "port"),
        (":٣", "port"), ("127.0.0.1:http", "port"), ("example.com:80", "not looked up"),
        ("Localhost:80", "not looked up"), ("*:80", "not looked up"), ("127.1:80", "not looked up"),
        ("http://127.0.0.1:80", "not looked up"), ("user@127.0.0.1:80", "not looked up"), (" :80", "not looked up"),
        ("[]:80", "not looked up"), ("[:80", "not looked up"), ("[::1:80", "not looked up"),
        ("[::1]x:80", "not looked up"), ("[fe80::1%nowhere0]:80", "not looked up"), ("::1:80", "needs brackets"),
        ("[127.0.0.1]:80", "only an IPv6"), ("[fe80::1]:80", "interface"),
    ])
    func `another text is refused, and the sentence says what it takes`(text: String, reason: String) throws {
        let error = try #require(throws: MetricsAddress.Invalid.self) { try MetricsAddress(text) }
        #expect(error.description.hasPrefix("--metrics-listen: "))
        #expect(error.description.contains(reason))
        #expect(error.description.hasSuffix("; it takes HOST:PORT, such as 127.0.0.1:9464, [::1]:9464 or :9464."))
    }
}
