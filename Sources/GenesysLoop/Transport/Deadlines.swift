/// How long each phase of a connection may take. All are on by default: nothing waits forever.
public struct Deadlines: Hashable, Sendable {
    /// Resolving the host name, until the first of its addresses can be tried. Default 10 s.
    public var dns: Duration = .seconds(10)
    /// Connecting over TCP, all addresses together. Default 10 s.
    public var connect: Duration = .seconds(10)
    /// Talking to the proxy, TLS with it included. Default 10 s.
    public var proxy: Duration = .seconds(10)
    /// The TLS handshake. Default 10 s.
    public var tls: Duration = .seconds(10)
    /// From the upgrade request to its whole response. Default 10 s.
    public var upgrade: Duration = .seconds(10)
    /// From a command to its reply; it is sent once more at half of it. Default 10 s.
    public var subscribe: Duration = .seconds(10)
    /// The closing handshake, all of it, however much the peer keeps sending. Default 5 s.
    public var close: Duration = .seconds(5)

    /// The defaults.
    public init() {}
}
