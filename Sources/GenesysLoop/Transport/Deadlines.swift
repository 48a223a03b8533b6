/// How long each phase of a connection may take. Every phase has a deadline by default.
public struct Deadlines: Hashable, Sendable {
    /// Resolving the host name, until the first of its addresses can be tried. Default 10 s.
    public var dns: Duration = .seconds(10)
    /// Connecting over TCP, for all addresses together. Default 10 s.
    public var connect: Duration = .seconds(10)
    /// The handshake with the proxy, including TLS with it. Default 10 s.
    public var proxy: Duration = .seconds(10)
    /// The TLS handshake. Default 10 s.
    public var tls: Duration = .seconds(10)
    /// From the upgrade request to the end of its response. Default 10 s.
    public var upgrade: Duration = .seconds(10)
    /// From a command to its reply; the command is sent again after half of it. Default 10 s.
    public var subscribe: Duration = .seconds(10)
    /// The whole closing handshake, however much the peer keeps sending. Default 5 s.
    public var close: Duration = .seconds(5)

    /// The defaults.
    public init() {}
}
