import Testing

@testable import GenesysLoop
@testable import ServerKit

@Suite struct TLSHostNameTests {
    @Test(arguments: [
        ("example.com", HostName.name("example.com")), ("example.com.", .name("example.com")),
        ("localhost", .name("localhost")), ("127.0.0.1", .address("127.0.0.1")), ("::1", .address("::1")),
        ("1.example", .name("1.example")), ("256.example.com", .name("256.example.com")),
    ])
    func `a host is a name or an address`(host: String, expected: HostName) throws {
        #expect(try HostName(host) == expected)
    }

    @Test(arguments: [
        "", ".", "..", "a..b", ".example.com", "exa mple.com", "exämple.com", "a\u{0}b", "127.1", "010.0.0.1",
        "256.1.1.1", "1.2.3.4.5", "2130706433", String(repeating: "a.", count: 130) + "b",
    ])
    func `anything else is refused`(host: String) {
        let error = #expect(throws: TLSError.self) { _ = try HostName(host) }
        #expect(error?.fault == .configuration)
    }

    @Test func `an address that OpenSSL cannot read is refused`() throws {
        let context = try TLSContext(client: TLSConfiguration(trust: .pem(CertificateAuthority().certificatePEM)))
        for host in ["1:2", "::1::", "fe80::1%eth0"] {
            let error = #expect(throws: TLSError.self) { _ = try TLSSession(context: context, clientFor: host) }
            #expect(error?.fault == .configuration)
        }
    }

    @Test func `the server is told a name, never an address`() throws {
        for (host, isSent) in [("localhost", true), ("localhost.", true), ("127.0.0.1", false), ("::1", false)] {
            let pair = try TLSPair(host: host)
            _ = try pair.client.handshake()
            let hello = pair.client.outgoing
            let name = Array("localhost".utf8)
            let found = hello.indices.contains { hello[$0...].starts(with: name) }
            #expect(found == isSent)
            #expect(!hello.indices.contains { hello[$0...].starts(with: Array("127.0".utf8)) })
        }
    }
}
