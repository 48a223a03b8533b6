import Testing

@testable import GenesysLoop

/// RFC 8305, in pure time.
struct AddressRaceTests {
    private func addresses(_ hosts: String...) -> [SocketAddress] {
        hosts.compactMap { SocketAddress(numeric: $0, port: 443) }
    }

    private let start = Instant(nanoseconds: 5_000_000_000)

    @Test func `families take turns, beginning with the system's first`() {
        let ipv6First = addresses("2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1", "192.0.2.2")
        #expect(
            AddressRace.interleaved(ipv6First)
                == addresses("2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "2001:db8::3"))
        let ipv4First = addresses("192.0.2.1", "2001:db8::1", "192.0.2.2")
        #expect(AddressRace.interleaved(ipv4First) == addresses("192.0.2.1", "2001:db8::1", "192.0.2.2"))
        let single = addresses("192.0.2.2", "192.0.2.1")
        #expect(AddressRace.interleaved(single) == single)
        #expect(AddressRace.interleaved([]).isEmpty)
    }

    @Test func `an address has 250 ms for itself, then the next is tried beside it`() {
        var race = AddressRace(addresses("2001:db8::1", "192.0.2.1", "192.0.2.2"))
        #expect(race.next(now: start) == addresses("2001:db8::1").first)
        #expect(race.deadline == start + .milliseconds(250))
        #expect(race.next(now: start + .milliseconds(249)) == nil)
        #expect(race.next(now: start + .milliseconds(250)) == addresses("192.0.2.1").first)
        #expect(race.deadline == start + .milliseconds(500))
        #expect(race.next(now: start + .milliseconds(700)) == addresses("192.0.2.2").first)
        #expect(race.deadline == nil)
        #expect(race.next(now: start + .seconds(9)) == nil)
    }

    @Test func `after a failure the next is tried at once, and has its time too`() {
        var race = AddressRace(addresses("192.0.2.1", "192.0.2.2", "192.0.2.3"))
        _ = race.next(now: start)
        #expect(race.next(now: start + .milliseconds(10), hasFailed: true) == addresses("192.0.2.2").first)
        #expect(race.deadline == start + .milliseconds(260))
        #expect(race.next(now: start + .milliseconds(255)) == nil)
        #expect(race.next(now: start + .milliseconds(260)) == addresses("192.0.2.3").first)
    }
}
