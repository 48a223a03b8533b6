package import CUV

/// An IPv4 or IPv6 address and a port.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    // The address bytes in network order, 4 or 16 of them, as they lie in memory.
    private let high: UInt64
    private let low: UInt64
    private let scope: UInt32

    /// The port; 0 lets the system choose when binding.
    package let port: UInt16

    /// Whether this is an IPv6 address.
    package let isIPv6: Bool

    /// Parses a numeric address without brackets: "127.0.0.1", "::1" or, with an interface, "fe80::1%eth0" or
    /// "fe80::1%2".
    ///
    /// Returns nil if the text is not an address, or the interface does not exist.
    package init?(numeric text: String, port: UInt16) {
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        let host = String(parts[0])
        // C would stop at a zero byte; no numeric address is longer than 45 characters.
        guard host.utf8.count <= 45, !text.utf8.contains(0) else { return nil }
        var address = cuv_address()
        // Text and result live for the call.
        let isNumeric = unsafe host.withCString { text in unsafe cuv_address_parse(&address, text, port) != 0 }
        guard isNumeric else { return nil }
        if parts.count == 2 {
            // The text lives for the call.
            address.scope = unsafe String(parts[1]).withCString { unsafe cuv_scope($0) }
            guard address.is_ipv6 != 0, address.scope != 0 else { return nil }
        }
        self.init(address)
    }

    package init(_ address: cuv_address) {
        high = address.words.0
        low = address.words.1
        scope = address.scope
        port = address.port
        isIPv6 = address.is_ipv6 != 0
    }

    /// Reads a C `struct sockaddr`, alive during the call; nil unless it is an Internet address.
    package init?(reading address: UnsafeRawPointer) {
        var read = cuv_address()
        // The family says how long the structure is.
        guard unsafe cuv_address_read(&read, address.assumingMemoryBound(to: sockaddr.self)) == 0 else { return nil }
        self.init(read)
    }

    package var raw: cuv_address {
        cuv_address(words: (high, low), scope: scope, port: port, is_ipv6: isIPv6 ? 1 : 0)
    }

    /// The first 32 bits of the address, most significant byte first.
    package var prefix: UInt32 { UInt32(truncatingIfNeeded: UInt64(bigEndian: high) >> 32) }

    /// Whether the address is in `fe80::/10` and lacks the interface that it needs.
    package var lacksZone: Bool { isIPv6 && scope == 0 && prefix >> 22 == 0xFE80 >> 6 }

    /// The address without the port, such as "127.0.0.1", "::1" or "fe80::1%eth0".
    package var host: String {
        var address = raw
        // The buffer lives for the call; 64 bytes hold every address, the name of an interface and the zero byte.
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            guard let base = buffer.baseAddress, unsafe cuv_address_text(&address, base, buffer.count) == 0 else {
                return "?"
            }
            return unsafe String(cString: base)
        }
    }

    package var description: String {
        isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// IPv4 or IPv6.
package enum AddressFamily: Hashable, Sendable, CaseIterable, CustomStringConvertible {
    // The family that is looked up and tried first (RFC 8305 §3, §4).
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
    /// The family of the address.
    package var family: AddressFamily { isIPv6 ? .ipv6 : .ipv4 }
}
