import Testing

@testable import GenesysLoop

/// The order of addresses after earlier results, in simulated time.
@Suite struct AddressMemoryTests {
    private func addresses(_ hosts: String...) -> [SocketAddress] {
        hosts.compactMap { SocketAddress(numeric: $0, port: 443) }
    }

    private let start = Instant(nanoseconds: 5_000_000_000)

    private func race(_ all: [SocketAddress], _ memory: AddressMemory) -> AddressRace {
        var race = AddressRace(memory: memory)
        race.found(all.filter(\.isIPv6), of: .ipv6, isLast: false, now: start)
        race.found(all.filter { !$0.isIPv6 }, of: .ipv4, isLast: true, now: start)
        return race
    }

    /// All attempts in order, each after the failure of the one before.
    private func order(_ all: [SocketAddress], _ memory: AddressMemory) -> [SocketAddress] {
        var race = race(all, memory)
        var result: [SocketAddress] = []
        while let address = race.next(now: start) {
            result.append(address)
            race.attemptDidFail()
        }
        return result
    }

    @Test func `without a memory the order is the system's`() {
        let all = addresses("192.0.2.3", "192.0.2.1", "192.0.2.2")
        #expect(AddressMemory().sorted(all) == all)
        #expect(order(all, AddressMemory()) == all)
    }

    @Test func `an address of no use goes to the end until the others fail too`() {
        let all = addresses("192.0.2.1", "192.0.2.2", "192.0.2.3")
        var memory = AddressMemory()
        memory.reached(all[0])
        #expect(memory.sorted(all) == [all[1], all[2], all[0]])
        memory.reached(all[1])
        #expect(memory.sorted(all) == [all[2], all[0], all[1]])
        memory.reached(all[2])
        #expect(memory.sorted(all) == all, "all have failed: the one that failed first")
        memory.reached(all[0])
        #expect(memory.sorted(all) == [all[1], all[2], all[0]])
    }

    @Test func `the address that was of use last comes first`() {
        let all = addresses("192.0.2.1", "192.0.2.2", "192.0.2.3")
        var memory = AddressMemory()
        memory.reached(all[2])
        memory.succeeded()
        #expect(memory.sorted(all) == [all[2], all[0], all[1]])
        memory.reached(all[1])
        memory.succeeded()
        #expect(memory.sorted(all) == [all[1], all[2], all[0]])
        memory.reached(all[1])
        #expect(memory.sorted(all) == [all[2], all[0], all[1]], "it disappointed, the other did not")
    }

    @Test func `an address that nobody waited for is as good as an unknown one`() {
        let all = addresses("192.0.2.1", "192.0.2.2")
        var memory = AddressMemory()
        memory.reached(all[0])
        memory.withdrawn()
        #expect(memory == AddressMemory())
        memory.reached(all[0])
        memory.succeeded()
        memory.succeeded()
        memory.withdrawn()
        #expect(memory.rank(of: all[0]) == -1)
    }

    @Test func `no more is remembered than there is room for`() {
        let all = (0..<100).compactMap { SocketAddress(numeric: "192.0.2.\($0)", port: 1) }
        var memory = AddressMemory()
        for address in all {
            memory.reached(address)
            memory.succeeded()
        }
        for address in all.reversed() { memory.reached(address) }
        #expect(all.count { memory.rank(of: $0) > 0 } == AddressMemory.capacity)
        #expect(all.count { memory.rank(of: $0) < 0 } == 0)
    }

    // MARK: - In the race

    @Test func `what was learned counts for more than the family`() {
        let all = addresses("2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2")
        var memory = AddressMemory()
        memory.reached(all[0])
        #expect(order(all, memory) == [all[1], all[2], all[3], all[0]])
        memory.reached(all[3])
        memory.succeeded()
        #expect(order(all, memory) == [all[3], all[1], all[2], all[0]])
    }

    @Test func `a doubtful address that is known first waits for the other family`() {
        let all = addresses("2001:db8::1", "192.0.2.1")
        var memory = AddressMemory()
        memory.reached(all[0])
        var race = AddressRace(memory: memory)
        race.found([all[0]], of: .ipv6, isLast: false, now: start)
        #expect(race.next(now: start + .milliseconds(999)) == nil)
        #expect(race.deadline == start + .seconds(1))
        var other = race
        #expect(other.next(now: start + .seconds(1)) == all[0], "for a second")
        race.found([all[1]], of: .ipv4, isLast: true, now: start + .milliseconds(300))
        #expect(race.next(now: start + .milliseconds(300)) == all[1])
    }

    @Test func `a doubtful address leaves the one before it more time`() {
        let all = addresses("192.0.2.1", "192.0.2.2", "192.0.2.3")
        var memory = AddressMemory()
        memory.reached(all[0])
        var race = race(all, memory)
        #expect(race.next(now: start) == all[1])
        #expect(race.next(now: start + .milliseconds(250)) == all[2])
        #expect(race.deadline == start + .milliseconds(1_250))
        #expect(race.next(now: start + .milliseconds(1_249)) == nil)
        #expect(race.next(now: start + .milliseconds(1_250)) == all[0])
    }

    @Test func `a proven address need not wait for the other family`() {
        let all = addresses("192.0.2.1")
        var memory = AddressMemory()
        memory.reached(all[0])
        memory.succeeded()
        var race = AddressRace(memory: memory)
        race.found(all, of: .ipv4, isLast: false, now: start)
        #expect(race.next(now: start) == all[0])
    }
}
