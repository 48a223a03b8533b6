import CUV
import Testing

@testable import GenesysLoop

struct SocketAddressTests {
    #if canImport(Darwin)
    private static let loopback = "lo0"
    #else
    private static let loopback = "lo"
    #endif

    @Test(arguments: ["127.0.0.1", "0.0.0.0", "::", "::1", "2001:db8::1:2", "fe80::1", "::ffff:192.0.2.1"])
    func `an address is printed as it is read`(text: String) throws {
        let address = try #require(SocketAddress(numeric: text, port: 443))
        #expect(address.host == text)
        #expect(address.family == (text.contains(":") ? .ipv6 : .ipv4))
        #expect("\(address)" == (text.contains(":") ? "[\(text)]:443" : "\(text):443"))
    }

    @Test func `a zone is an interface, by its name or by its number`() throws {
        let named = try #require(SocketAddress(numeric: "fe80::1%\(Self.loopback)", port: 1))
        let numbered = try #require(SocketAddress(numeric: "fe80::1%1", port: 1))
        #expect(named.raw.scope == 1)
        #expect(named == numbered)
        #expect(named != SocketAddress(numeric: "fe80::1", port: 1))
        #expect("\(named)" == "[fe80::1%\(Self.loopback)]:1")
        #expect(!named.lacksZone)
    }

    @Test(arguments: [
        "fe80::1%", "fe80::1%missing0", "fe80::1%999999999", "fe80::1%99999999999999999999", "fe80::1%1x", "fe80::1%-1",
        "fe80::1%0", "fe80::1% 1", "fe80::1%1%1", "127.0.0.1%1", "%1", "localhost%1", "", "::1\0", "fe80::1%1\0",
        "fe80::1%" + String(repeating: "a", count: 100),
    ])
    func `what is no address on an interface of this machine is none`(text: String) {
        #expect(SocketAddress(numeric: text, port: 1) == nil)
    }

    @Test(arguments: [("fe80::1", true), ("febf::1", true), ("fec0::1", false), ("::1", false), ("169.254.0.1", false)])
    func `an address of one link is known to lack its zone`(text: String, lacksZone: Bool) throws {
        #expect(try #require(SocketAddress(numeric: text, port: 1)).lacksZone == lacksZone)
    }
}
