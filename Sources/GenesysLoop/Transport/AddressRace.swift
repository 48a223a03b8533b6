/// The order and the pace in which the addresses of a host are tried (RFC 8305 §3 to §5).
///
///     looking up ─▶ (holding back IPv4 for IPv6) ─▶ trying, one after the other, and beside each other ─▶ exhausted
///
/// The families are looked up separately. IPv6 addresses are tried as soon as they are known; IPv4 addresses that are
/// known first wait 50 ms for the others. Later addresses join the race. The results of earlier connections of the
/// channel take precedence over the order of the families.
///
/// Pure: events come in with their times, and the caller takes out the next address to try.
struct AddressRace: Equatable {
    /// How long one attempt runs alone before the next starts beside it (RFC 8305 §8).
    static let attemptDelay: Duration = .milliseconds(250)
    /// How long IPv4 addresses wait for the answer that may bring IPv6 addresses (RFC 8305 §8).
    static let resolutionDelay: Duration = .milliseconds(50)
    /// How long a doubtful address waits for other addresses and for their results.
    static let doubtDelay: Duration = .seconds(1)

    private let memory: AddressMemory
    /// Untried addresses: each family in the order of the memory, then in that of the system (RFC 6724).
    private var ipv6: ArraySlice<SocketAddress> = []
    private var ipv4: ArraySlice<SocketAddress> = []
    /// Whether IPv6 addresses may still arrive.
    private var awaitsIPv6 = true
    /// Whether any addresses may still arrive.
    private var isLookingUp = true
    /// The family of the last attempt; nil before the first.
    private var lastTried: AddressFamily?
    /// When the next attempt may start, unless one fails before; nil: as soon as there is an address.
    private var nextAt: Instant?

    init(memory: AddressMemory = AddressMemory()) {
        self.memory = memory
    }

    /// Whether there is no address left to try, and none will arrive.
    var isExhausted: Bool { !isLookingUp && ipv6.isEmpty && ipv4.isEmpty }

    /// When to call `next` again without an event; nil if there is no address to try.
    var deadline: Instant? { ipv6.isEmpty && ipv4.isEmpty ? nil : nextAt }

    /// The look-up of a family has ended; `addresses` may be empty.
    ///
    /// - Parameter isLast: no other look-up is in progress.
    mutating func found(_ addresses: [SocketAddress], of family: AddressFamily, isLast: Bool, now: Instant) {
        switch family {
        case .ipv6: ipv6 += memory.sorted(addresses)
        case .ipv4: ipv4 += memory.sorted(addresses)
        }
        if family == .ipv6 || isLast { awaitsIPv6 = false }
        if isLast { isLookingUp = false }
        guard lastTried == nil, let rank = nextRank else { return }
        if isLookingUp, rank > 0 {
            if nextAt == nil { nextAt = now + AddressRace.doubtDelay }
        } else if awaitsIPv6, rank == 0 {
            // The clock starts with the first addresses (RFC 8305 §3).
            if nextAt == nil { nextAt = now + AddressRace.resolutionDelay }
        } else {
            nextAt = nil
        }
    }

    /// An attempt failed: the next may start at once.
    mutating func attemptDidFail() {
        nextAt = nil
    }

    /// The next address, if it is time to try it.
    mutating func next(now: Instant) -> SocketAddress? {
        if let nextAt, now < nextAt { return nil }
        let address: SocketAddress?
        switch nextFamily {
        case .ipv6: address = ipv6.popFirst()
        case .ipv4: address = ipv4.popFirst()
        case nil: return nil
        }
        lastTried = address?.family
        let isFollowedByDoubt = (nextRank ?? 0) > max(0, address.map(memory.rank) ?? 0)
        nextAt = now + (isFollowedByDoubt ? AddressRace.doubtDelay : AddressRace.attemptDelay)
        return address
    }

    /// The memory's rank of the next address.
    private var nextRank: Int? {
        switch nextFamily {
        case .ipv6: ipv6.first.map(memory.rank)
        case .ipv4: ipv4.first.map(memory.rank)
        case nil: nil
        }
    }

    /// The families alternate while both have addresses of the same rank (RFC 8305 §4).
    private var nextFamily: AddressFamily? {
        guard let six = ipv6.first else { return ipv4.isEmpty ? nil : .ipv4 }
        guard let four = ipv4.first else { return .ipv6 }
        let (rank, other) = (memory.rank(of: six), memory.rank(of: four))
        if rank != other { return rank < other ? .ipv6 : .ipv4 }
        switch lastTried {
        case .ipv6: return .ipv4
        case .ipv4: return .ipv6
        case nil: return six.isPreferredToIPv4 ? .ipv6 : .ipv4
        }
    }
}

extension SocketAddress {
    /// Whether the policy table of RFC 6724 §2.1 ranks an IPv6 address above IPv4 addresses.
    ///
    /// Unique local addresses, 6to4, Teredo and deprecated ranges rank below: they are often unreachable.
    package var isPreferredToIPv4: Bool {
        let prefix = self.prefix
        let isRankedBelow =
            prefix >> 25 == 0xFC >> 1  // fc00::/7
            || prefix >> 16 == 0x2002  // 2002::/16
            || prefix == 0x2001_0000  // 2001::/32
            || prefix >> 22 == 0xFEC0 >> 6  // fec0::/10
            || prefix >> 16 == 0x3FFE  // 3ffe::/16
        return !isRankedBelow
    }
}

/// The results of a channel's connections, by address.
///
/// That an address accepts a TCP connection proves little: a dead process may listen there, or a load balancer without
/// a server. So an address is doubtful from the connection until the connection has worked. Doubtful addresses are
/// tried last, the oldest doubt first. The address that worked last is tried first.
package struct AddressMemory: Equatable, Sendable {
    /// The maximum number of addresses of each kind.
    static let capacity = 16

    /// Addresses whose last connection worked, the latest first.
    private var proven: [SocketAddress] = []
    /// Addresses whose last connection did not work, or is in progress, the latest last.
    private var doubtful: [SocketAddress] = []
    /// The result of the last doubtful address is not known yet.
    private var isOnTrial = false

    package init() {}

    /// An address accepted a TCP connection.
    package mutating func reached(_ address: SocketAddress) {
        proven.removeAll { $0 == address }
        doubtful.removeAll { $0 == address }
        if doubtful.count == AddressMemory.capacity { doubtful.removeFirst() }
        doubtful.append(address)
        isOnTrial = true
    }

    /// The connection to the last reached address works.
    package mutating func succeeded() {
        guard let address = endTrial() else { return }
        if proven.count == AddressMemory.capacity { proven.removeLast() }
        proven.insert(address, at: 0)
    }

    /// That connection was given up before its result was known.
    package mutating func withdrawn() {
        _ = endTrial()
    }

    private mutating func endTrial() -> SocketAddress? {
        guard isOnTrial else { return nil }
        isOnTrial = false
        return doubtful.popLast()
    }

    /// The rank of an address: negative if proven, positive if doubtful, lowest first.
    func rank(of address: SocketAddress) -> Int {
        if let index = proven.firstIndex(of: address) { return index - proven.count }
        return doubtful.firstIndex(of: address).map { $0 + 1 } ?? 0
    }

    /// The addresses in the order in which to try them; equal ranks keep their order.
    func sorted(_ addresses: [SocketAddress]) -> [SocketAddress] {
        let ranked = addresses.enumerated().map { (rank: rank(of: $0.element), offset: $0.offset, address: $0.element) }
        return ranked.sorted { ($0.rank, $0.offset) < ($1.rank, $1.offset) }.map(\.address)
    }
}
