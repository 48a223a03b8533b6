/// The order and the pace in which the addresses of a host are tried (RFC 8305 §4, §5).
///
/// Pure: what happened comes in with its time, and what is to be begun is taken out.
struct AddressRace: Equatable {
    /// How long one attempt has for itself before the next begins beside it (RFC 8305 §8).
    static let attemptDelay: Duration = .milliseconds(250)

    /// Those not tried yet.
    private var waiting: ArraySlice<SocketAddress>
    /// When the next of them may be tried, if nothing fails before.
    private var nextAt: Instant?

    /// Begins with the first of `addresses`, which are in the system's order of preference (RFC 6724).
    init(_ addresses: [SocketAddress]) {
        waiting = AddressRace.interleaved(addresses)[...]
    }

    /// The families in turns, beginning with that of the first address; within one family the order stays (RFC 8305 §4).
    static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
        guard let first = addresses.first else { return [] }
        let preferred = addresses.filter { $0.isIPv6 == first.isIPv6 }
        let others = addresses.filter { $0.isIPv6 != first.isIPv6 }
        var result: [SocketAddress] = []
        for index in 0..<max(preferred.count, others.count) {
            if index < preferred.count { result.append(preferred[index]) }
            if index < others.count { result.append(others[index]) }
        }
        return result
    }

    /// When to ask again although nothing happened; nil if nothing is left to be tried.
    var deadline: Instant? { waiting.isEmpty ? nil : nextAt }

    /// The next address, if it is to be tried now: the first, one whose predecessor had its time, or, after a failure,
    /// any at once.
    mutating func next(now: Instant, hasFailed: Bool = false) -> SocketAddress? {
        if let nextAt, now < nextAt, !hasFailed { return nil }
        guard let address = waiting.popFirst() else { return nil }
        nextAt = now + AddressRace.attemptDelay
        return address
    }
}
