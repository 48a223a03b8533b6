import GenesysLoop

/// The value of `--metrics-listen`: a numeric address or `localhost`, and a port.
///
/// Without a host it is the loopback address: what an operator leaves out must not open a port to the network. Names
/// are not looked up, because nothing may wait for a resolver.
struct MetricsAddress: Equatable {
    /// Why a text is not such a value; one sentence.
    struct Invalid: Error, Equatable, CustomStringConvertible {
        let description: String

        init(_ reason: String) {
            description =
                "--metrics-listen: \(reason); it takes HOST:PORT, such as 127.0.0.1:9464, [::1]:9464 or :9464."
        }
    }

    /// The address, without brackets.
    let host: String
    let port: UInt16

    init(_ text: String) throws(Invalid) {
        guard let colon = text.lastIndex(of: ":") else { throw Invalid("a port and its colon are missing") }
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy(ASCII.isDigit), let port = UInt16(digits) else {
            throw Invalid("the port is not a number from 0 to 65535")
        }
        self.port = port
        host = try Self.host(text[..<colon])
    }

    private static func host(_ text: Substring) throws(Invalid) -> String {
        if text.isEmpty || text == "localhost" { return "127.0.0.1" }
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]") && text.count > 1
        let name = String(isBracketed ? text.dropFirst().dropLast() : text)
        guard let address = SocketAddress(numeric: name, port: 0) else {
            throw Invalid("the host is not a numeric address of this machine, and names are not looked up")
        }
        guard address.isIPv6 == isBracketed else {
            throw Invalid(isBracketed ? "only an IPv6 address has brackets" : "an IPv6 address needs brackets")
        }
        guard !address.lacksZone else {
            throw Invalid("a link-local address needs its interface, as in [fe80::1%eth0]")
        }
        return name
    }

    /// Whether only programs of this machine reach it.
    var isLoopback: Bool {
        let address = host.prefix { $0 != "%" }
        return address.hasPrefix("127.")
            || SocketAddress(numeric: String(address), port: 0) == SocketAddress(numeric: "::1", port: 0)
    }
}
