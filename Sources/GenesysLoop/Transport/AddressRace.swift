/// The order and the pace in which the addresses of a host are tried (RFC 8305 §3 to §5).
///
///     looking up ─▶ (holding back IPv4 for IPv6) ─▶ trying, one after the other, and beside each other ─▶ exhausted
///
/// The families are looked up separately. IPv6 addresses are tried as soon as they are known; IPv4 addresses that are
/// known first wait 50 ms for the others. What comes later joins the race. What earlier connections of the channel have
/// taught comes before the order of the families.
///
/// Pure: what happened comes in with its time, and what is to be begun is taken out.
struct AddressRace: Equatable {
    /// How long one attempt has for itself before the next begins beside it (RFC 8305 §8).
    static let attemptDelay: Duration = .milliseconds(250)
    /// How long IPv4 addresses wait for the answer that may bring IPv6 addresses (RFC 8305 §8).
    static let resolutionDelay: Duration = .milliseconds(50)
    /// How long an address that disappointed waits for others, and for what they become.
    static let doubtDelay: Duration = .seconds(1)

    private let memory: AddressMemory
    /// Those not tried yet, each family in the order of the memory, then of the system's preference (RFC 6724).
    private var ipv6: ArraySlice<SocketAddress> = []
    private var ipv4: ArraySlice<SocketAddress> = []
    /// Whether IPv6 addresses may still come.
    private var awaitsIPv6 = true
    /// Whether anything may.
    private var isLookingUp = true
    /// The family whose turn it was last; nil as long as nothing was tried.
    private var lastTried: AddressFamily?
    /// When the next attempt may begin, if nothing fails before; nil: when there is something to try.
    private var nextAt: Instant?

    init(memory: AddressMemory = AddressMemory()) {
        self.memory = memory
    }

    /// Whether there is nothing left to try, and nothing will come.
    var isExhausted: Bool { !isLookingUp && ipv6.isEmpty && ipv4.isEmpty }

    /// When to ask again although nothing happened; nil if there is nothing to be tried.
    var deadline: Instant? { ipv6.isEmpty && ipv4.isEmpty ? nil : nextAt }

    /// A family's addresses are known; none, if that is what was found.
    ///
    /// - Parameter isLast: nothing more is looked up.
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

    /// An attempt failed: the next need not wait.
    mutating func attemptDidFail() {
        nextAt = nil
    }

    /// The next address, if it is to be tried now.
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

    /// How the memory ranks what is to be tried next.
    private var nextRank: Int? {
        switch nextFamily {
        case .ipv6: ipv6.first.map(memory.rank)
        case .ipv4: ipv4.first.map(memory.rank)
        case nil: nil
        }
    }

    /// The families take turns, as long as both have addresses left that rank the same (RFC 8305 §4).
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
    /// Unique local addresses, 6to4, Teredo and what is deprecated rank below: they often lead nowhere.
    fileprivate var isPreferredToIPv4: Bool {
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

/// What the connections of a channel have taught about the addresses they went to.
///
/// That an address takes a TCP connection says little: what answers there may be a dead process, or a balancer with
/// nobody behind it. So an address that was reached is doubtful until its connection was of use, and doubtful addresses
/// are tried last, the one that was doubted first before the others. The one that was of use last is tried first.
struct AddressMemory: Equatable, Sendable {
    /// How many addresses of each kind are remembered.
    static let capacity = 16

    /// Those whose last connection was of use, the latest first.
    private var proven: [SocketAddress] = []
    /// Those whose last connection was of no use, or is being made, the latest last.
    private var doubtful: [SocketAddress] = []
    /// Of the last doubtful one nothing is known yet.
    private var isOnTrial = false

    /// An address took a TCP connection.
    mutating func reached(_ address: SocketAddress) {
        proven.removeAll { $0 == address }
        doubtful.removeAll { $0 == address }
        if doubtful.count == AddressMemory.capacity { doubtful.removeFirst() }
        doubtful.append(address)
        isOnTrial = true
    }

    /// The connection to the address that was reached last is of use.
    mutating func succeeded() {
        guard let address = endTrial() else { return }
        if proven.count == AddressMemory.capacity { proven.removeLast() }
        proven.insert(address, at: 0)
    }

    /// It was given up before anybody could know.
    mutating func withdrawn() {
        _ = endTrial()
    }

    private mutating func endTrial() -> SocketAddress? {
        guard isOnTrial else { return nil }
        isOnTrial = false
        return doubtful.popLast()
    }

    /// The place of an address among others: negative for a proven one, positive for a doubtful one.
    func rank(of address: SocketAddress) -> Int {
        if let index = proven.firstIndex(of: address) { return index - proven.count }
        return doubtful.firstIndex(of: address).map { $0 + 1 } ?? 0
    }

    /// The addresses in the order in which they are to be tried; among equals the given one.
    func sorted(_ addresses: [SocketAddress]) -> [SocketAddress] {
        let ranked = addresses.enumerated().map { (rank: rank(of: $0.element), offset: $0.offset, address: $0.element) }
        return ranked.sorted { ($0.rank, $0.offset) < ($1.rank, $1.offset) }.map(\.address)
    }
}
