/// IPv4 or IPv6.
package enum AddressFamily: Hashable, Sendable, CaseIterable, CustomStringConvertible {
    // The one that is asked for, and tried, first (RFC 8305 §3, §4).
    case ipv6
    case ipv4

    package var description: String {
        switch self {
        case .ipv6: "IPv6"
        case .ipv4: "IPv4"
        }
    }
}

extension SocketAddress {
    /// The family it belongs to.
    package var family: AddressFamily { isIPv6 ? .ipv6 : .ipv4 }
}
