internal import GenesysLoop

/// The names of a server that listens on an address.
struct ServerName {
    /// The address that it listens on.
    let address: String
    /// The host in URIs.
    let inURI: String
    /// It listens on all addresses.
    let isWildcard: Bool

    /// - Parameter host: a numeric address; nil for the loopback address, which is then called `localhost`.
    /// - Throws: `SimulatorError` of kind `cannotListen` for a host that is not a numeric address.
    init(_ host: String?) throws(SimulatorError) {
        address = host ?? "127.0.0.1"
        guard let parsed = SocketAddress(numeric: address, port: 0) else {
            throw SimulatorError(
                .cannotListen,
                "“\(address)” is not a numeric address of this machine, such as 127.0.0.1, ::1 or 0.0.0.0.")
        }
        isWildcard = ["0.0.0.0", "::"].contains(parsed.host)
        if host == nil || isWildcard {
            inURI = "localhost"
        } else {
            // RFC 6874 §2 encodes the percent sign before the zone.
            inURI = parsed.isIPv6 ? "[\(parsed.host.replacing("%", with: "%25"))]" : parsed.host
        }
    }
}
