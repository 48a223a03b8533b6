import Testing

@testable import GenesysLoop
@testable import GenesysPlatform

struct AddressCollectionTests {
    private func address(_ text: String) throws -> SocketAddress {
        try #require(SocketAddress(numeric: text, port: 443))
    }

    private let failure = ResolverError(code: -3, text: "try again", isNoSuchName: false)

    @Test func `addresses come in the order of RFC 6724, the proven one first`() throws {
        var addresses = AddressCollection()
        let ipv4 = [try address("192.0.2.1"), try address("192.0.2.2")]
        let ipv6 = [try address("2001:db8::1"), try address("2001:db8::2")]
        addresses.answered(.ipv4, .success(ipv4), isLast: false)
        #expect(!addresses.isComplete && addresses.hasAddresses)
        addresses.answered(.ipv6, .success(ipv6), isLast: true)
        #expect(addresses.isComplete)
        var copy = addresses
        #expect(copy.take(proven: nil) == ipv6 + ipv4)
        #expect(!copy.hasAddresses && copy.take(proven: nil) == [])
        copy = addresses
        #expect(copy.take(proven: "2001:db8::2") == [ipv6[1], ipv6[0]] + ipv4)
        #expect(addresses.take(proven: "192.0.2.2") == [ipv4[1], ipv4[0]] + ipv6)
    }

    @Test func `local IPv6 addresses come after IPv4`() throws {
        var addresses = AddressCollection()
        addresses.answered(.ipv6, .success([try address("fd00::1")]), isLast: false)
        addresses.answered(.ipv4, .success([try address("192.0.2.1")]), isLast: true)
        #expect(addresses.take(proven: nil).map(\.host) == ["192.0.2.1", "fd00::1"])
    }

    @Test func `a host without an address has the error of its look-ups`() throws {
        var addresses = AddressCollection()
        addresses.answered(.ipv6, .failure(failure), isLast: false)
        addresses.answered(.ipv4, .success([]), isLast: true)
        #expect(!addresses.hasAddresses)
        #expect(!addresses.error.isNoSuchName)
        #expect(addresses.familiesWithoutAnswer == ["IPv6 addresses: try again"])
    }
}

struct HostTurnsTests {
    private final class Call {}

    @Test func `four calls of a host run, the others follow in order, and hosts do not wait for each other`() {
        let calls = (0..<7).map { _ in Call() }
        let ids = calls.map { ObjectIdentifier($0) }
        var turns = HostTurns()
        #expect(ids.prefix(6).map { turns.enter($0, host: "a") } == [true, true, true, true, false, false])
        #expect(turns.enter(ids[6], host: "b") == true)
        #expect(turns.leave(ids[1], host: "a") == ids[4])
        // A call that waits may leave too.
        #expect(turns.leave(ids[5], host: "a") == nil)
        #expect(turns.leave(ids[0], host: "a") == nil)
        #expect(turns.leave(ids[0], host: "a") == nil)
        #expect(turns.leave(ids[6], host: "b") == nil)
        #expect(turns.enter(ids[5], host: "a") == true)
        withExtendedLifetime(calls) {}
    }
}
