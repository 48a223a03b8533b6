internal import GenesysLoop

/// The addresses of a host, as the look-ups of the two families bring them, in the order in which libcurl tries them.
///
/// A family whose look-up is slow delays the other by at most 50 ms (RFC 8305 §8); its addresses count when they arrive
/// before the others have all failed.
///
/// Pure.
struct AddressCollection {
    /// How long addresses of one family wait for those of the other.
    static let delay: Duration = .milliseconds(50)

    private var waiting: [SocketAddress] = []
    private var errors: [(family: AddressFamily, error: ResolverError)] = []
    /// Whether no further answer comes.
    private(set) var isComplete = false

    /// The look-up of a family has ended.
    mutating func answered(
        _ family: AddressFamily, _ result: Result<[SocketAddress], ResolverError>, isLast: Bool
    ) {
        isComplete = isLast
        switch result {
        case .success(let addresses):
            // libcurl cannot use an address that is valid on one link only.
            let usable = addresses.filter { !$0.host.contains("%") }
            waiting += usable
            if usable.isEmpty { errors.append((family, .combined([]))) }
        case .failure(let error):
            errors.append((family, error))
        }
    }

    /// Whether there are addresses that were not tried.
    var hasAddresses: Bool { !waiting.isEmpty }

    /// Moves out the addresses that were not tried: the proven one, then those of its family, else of the family that
    /// RFC 6724 prefers.
    mutating func take(proven: String?) -> [SocketAddress] {
        defer { waiting = [] }
        let first = waiting.first { $0.host == proven }
        let prefersIPv6 = first?.isIPv6 ?? waiting.first { $0.isIPv6 }?.isPreferredToIPv4 ?? false
        let rest = waiting.filter { $0 != first }
        return (first.map { [$0] } ?? []) + rest.filter { $0.isIPv6 == prefersIPv6 }
            + rest.filter { $0.isIPv6 != prefersIPv6 }
    }

    /// The error of a host without an address.
    var error: ResolverError { .combined(errors) }

    /// The families whose look-up failed for now, which might have had a better address.
    var familiesWithoutAnswer: [String] {
        errors.filter { !$0.error.isNoSuchName }.map { "\($0.family) addresses: \($0.error.text)" }
    }
}
