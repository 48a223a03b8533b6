public import GenesysLoop
public import Logging

/// How the REST side works. A value: changing it after a `Platform` was made has no effect.
public struct PlatformConfiguration: Sendable {
    /// Which certificates to trust, which TLS parameters to accept, and which identity to show, as of a channel.
    public var tls = TLSConfiguration()
    /// Whether to connect through a proxy, as of a channel. An `https://` proxy is refused. Default `.none`.
    public var proxy = ProxySetting.none
    /// The user and the password for a proxy that the environment names without them.
    package var environmentProxyCredentials: ProxyCredentials?
    /// How long a request may take until it can be sent: name, TCP, proxy and TLS. Default 10 s.
    public var connectDeadline: Duration = .seconds(10)
    /// How long a request may take until its answer is complete. Default 30 s.
    public var callDeadline: Duration = .seconds(30)
    /// A file that keeps a minted token across starts, so that a program that starts often does not mint one each time:
    /// the service ends the oldest token of a client that has too many. Default nil.
    ///
    /// It is read when the `Platform` is made, and written on another thread. The file is made with mode 0600; one that
    /// others can read is refused, and so is a symbolic link. It is used for the OAuth client and the region that it
    /// was written for only, and never with `PlatformCredentials.tokens(_:)`.
    public var tokenCache: String?
    /// The value of the `User-Agent` header. Default `GenesysLoop`.
    public var userAgent = "GenesysLoop"
    /// Receives messages about calls, without secrets. Default: no log. Its handler must not block.
    public var logger = Logger(label: "genesys-loop.platform", factory: { _ in SwiftLogNoOpLogHandler() })

    /// The defaults.
    public init() {}
}
