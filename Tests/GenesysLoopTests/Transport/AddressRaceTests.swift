import Testing

@testable import GenesysLoop

/// RFC 8305, in simulated time.
struct AddressRaceTests {
    private func addresses(_ hosts: String...) -> [SocketAddress] {
        hosts.compactMap { SocketAddress(numeric: $0, port: 443) }
    }

    private let start = Instant(nanoseconds: 5_000_000_000)

    private func at(_ milliseconds: Int) -> Instant { start + .milliseconds(milliseconds) }

    /// A race in which all addresses are known.
    private func race(_ all: [SocketAddress]) -> AddressRace {
        var race = AddressRace()
        race.found(all.filter(\.isIPv6), of: .ipv6, isLast: false, now: start)
        race.found(all.filter { !$0.isIPv6 }, of: .ipv4, isLast: true, now: start)
        return race
    }

    /// All attempts from now on, if each takes its full time.
    private func order(_ race: AddressRace) -> [SocketAddress] {
        var race = race
        var result: [SocketAddress] = []
        var now = start
        while let address = race.next(now: now) {
            result.append(address)
            now = now + AddressRace.attemptDelay
        }
        #expect(race.isExhausted)
        #expect(race.deadline == nil)
        return result
    }

    // MARK: - Order and pace

    @Test func `families take turns, beginning with IPv6`() {
        let all = addresses("2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1", "192.0.2.2")
        #expect(
            order(race(all)) == addresses("2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "2001:db8::3"))
        let single = addresses("192.0.2.2", "192.0.2.1")
        #expect(order(race(single)) == single)
        #expect(order(race([])) == [])
    }

    @Test(arguments: [
        ("2001:db8::1", true), ("2a00:1450::1", true), ("::1", true), ("fe80::1", true), ("fd00::1", false),
        ("fc00::1", false), ("2002:c000:201::1", false), ("2001::1", false), ("2001:0:1::1", false),
        ("fec0::1", false), ("feff::1", false), ("3ffe::1", false),
    ])
    func `what RFC 6724 ranks below IPv4 does not come first`(host: String, isFirst: Bool) {
        let all = addresses(host, "192.0.2.1")
        #expect(order(race(all)) == (isFirst ? all : all.reversed()))
    }

    @Test func `an address has 250 ms for itself, then the next is tried beside it`() {
        var race = race(addresses("2001:db8::1", "192.0.2.1", "192.0.2.2"))
        #expect(race.next(now: start) == addresses("2001:db8::1").first)
        #expect(race.deadline == at(250))
        #expect(race.next(now: at(249)) == nil)
        #expect(race.next(now: at(250)) == addresses("192.0.2.1").first)
        #expect(race.deadline == at(500))
        #expect(race.next(now: at(700)) == addresses("192.0.2.2").first)
        #expect(race.deadline == nil)
        #expect(race.next(now: at(9_000)) == nil)
    }

    @Test func `after a failure the next is tried at once, and has its time too`() {
        var race = race(addresses("192.0.2.1", "192.0.2.2", "192.0.2.3"))
        _ = race.next(now: start)
        race.attemptDidFail()
        #expect(race.next(now: at(10)) == addresses("192.0.2.2").first)
        #expect(race.deadline == at(260))
        #expect(race.next(now: at(255)) == nil)
        #expect(race.next(now: at(260)) == addresses("192.0.2.3").first)
    }

    // MARK: - Answers that come one after the other

    @Test func `nothing is tried before anything is known`() {
        var race = AddressRace()
        #expect(race.next(now: at(9_000)) == nil)
        #expect(race.deadline == nil)
        #expect(!race.isExhausted)
    }

    @Test func `IPv6 addresses are tried as soon as they are known`() {
        var race = AddressRace()
        race.found(addresses("2001:db8::1"), of: .ipv6, isLast: false, now: at(3))
        #expect(race.next(now: at(3)) == addresses("2001:db8::1").first)
        #expect(race.deadline == nil)
        race.found(addresses("192.0.2.1"), of: .ipv4, isLast: true, now: at(100))
        #expect(race.deadline == at(253))
        #expect(race.next(now: at(252)) == nil)
        #expect(race.next(now: at(253)) == addresses("192.0.2.1").first)
    }

    @Test func `IPv4 addresses that are known first wait 50 ms for the others, and no longer`() {
        var race = AddressRace()
        race.found(addresses("192.0.2.1"), of: .ipv4, isLast: false, now: at(7))
        #expect(race.deadline == at(57))
        #expect(race.next(now: at(56)) == nil)
        #expect(race.next(now: at(57)) == addresses("192.0.2.1").first)
        #expect(!race.isExhausted)
    }

    @Test func `IPv6 addresses that come within the 50 ms are tried first, and at once`() {
        var race = AddressRace()
        race.found(addresses("192.0.2.1"), of: .ipv4, isLast: false, now: start)
        race.found(addresses("2001:db8::1"), of: .ipv6, isLast: true, now: at(20))
        #expect(race.next(now: at(20)) == addresses("2001:db8::1").first)
        #expect(race.deadline == at(270))
    }

    @Test func `when there are no IPv6 addresses, IPv4 need not wait`() {
        var race = AddressRace()
        race.found(addresses("192.0.2.1"), of: .ipv4, isLast: false, now: start)
        race.found([], of: .ipv6, isLast: true, now: at(20))
        #expect(race.next(now: at(20)) == addresses("192.0.2.1").first)
        var other = AddressRace()
        other.found([], of: .ipv6, isLast: false, now: start)
        #expect(!other.isExhausted)
        other.found(addresses("192.0.2.1"), of: .ipv4, isLast: true, now: at(20))
        #expect(other.next(now: at(20)) == addresses("192.0.2.1").first)
    }

    @Test func `addresses that come late join in, the families in turns from then on`() {
        var race = AddressRace()
        race.found(addresses("192.0.2.1", "192.0.2.2", "192.0.2.3"), of: .ipv4, isLast: false, now: start)
        #expect(race.next(now: at(50)) == addresses("192.0.2.1").first)
        race.found(addresses("2001:db8::1"), of: .ipv6, isLast: true, now: at(90))
        #expect(race.next(now: at(299)) == nil)
        #expect(race.next(now: at(300)) == addresses("2001:db8::1").first)
        #expect(race.next(now: at(550)) == addresses("192.0.2.2").first)
    }

    @Test func `addresses that come when all others have failed, or had their time, are tried at once`() {
        var race = AddressRace()
        race.found(addresses("192.0.2.1"), of: .ipv4, isLast: false, now: start)
        _ = race.next(now: at(50))
        race.attemptDidFail()
        #expect(race.next(now: at(51)) == nil)
        #expect(!race.isExhausted)
        race.found(addresses("2001:db8::1"), of: .ipv6, isLast: true, now: at(60))
        #expect(race.next(now: at(60)) == addresses("2001:db8::1").first)
        #expect(race.isExhausted)

        var slow = AddressRace()
        slow.found(addresses("2001:db8::1"), of: .ipv6, isLast: false, now: start)
        _ = slow.next(now: start)
        slow.found(addresses("192.0.2.1"), of: .ipv4, isLast: true, now: at(400))
        #expect(slow.next(now: at(400)) == addresses("192.0.2.1").first)
    }
}
