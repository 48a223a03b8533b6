public import Logging

/// How a channel behaves. A value: changing it after the channel was made has no effect.
public struct ChannelConfiguration: Sendable {
    /// From a confirmation to the extension of the channel's life, which the service limits to 24 h from the last
    /// confirmed subscription. Default 23 h.
    public var lifetime: Duration = .seconds(23 * 3600)
    /// Whether the channel extends its life by itself; otherwise `willExpire` lets the host act. Default true.
    public var extendsLifetime = true
    /// What the channel does about a loss. Default `.backoff`.
    public var reconnect: ReconnectPolicy = .backoff(.init())
    /// Who handles the maintenance notice. Default `.automatic`.
    public var rollover: RolloverPolicy = .automatic
    /// What the channel does when another client takes it over. Default `.reconnect`.
    public var takeover: TakeoverPolicy = .reconnect
    /// The time without a byte after which the channel sends a ping. The service sends a heartbeat every 30 s. Default
    /// 35 s.
    public var heartbeatTimeout: Duration = .seconds(35)
    /// How long the service may take to answer that ping. Default 7 s.
    public var pingTimeout: Duration = .seconds(7)
    /// How long each phase of a connection may take.
    public var deadlines = Deadlines()
    /// The largest accepted message, in bytes after decompression; never more than 4 GiB. A larger one ends the channel
    /// with `messageTooLarge`. Default 16 MiB.
    public var maxMessageSize = 16 * 1024 * 1024
    /// Offers permessage-deflate (RFC 7692). Default nil: no offer, no compression.
    ///
    /// A channel receives much and sends little, so compression is worth its cost only where bandwidth is scarce.
    public var compression: Compression?
    /// How many redirects of the upgrade are followed in a row. Default 0: none.
    ///
    /// A client's default is 5, a channel's is 0: the service sends no redirect, and the URI of a channel is a secret
    /// that goes to the service alone, so another server should not decide where the channel connects. A gateway in
    /// front of the service may need redirects. The statuses are 301, 302, 307 and 308. A redirect from `wss:` to `ws:`
    /// is never followed. At another host, port or scheme than the first, `tls.identity` is not shown and
    /// `tls.serverName` does not apply. A redirect that is not followed is a failure with reason `invalidStatusCode`,
    /// whose `underlying` says why. Each reconnect begins at the channel's own URI, and the deadlines start again with
    /// each connection.
    public var maxRedirects = 0
    /// Which certificates to trust, which TLS parameters to accept, and which identity to show.
    public var tls = TLSConfiguration()
    /// Whether to connect through a proxy. Default `.none`.
    public var proxy = ProxySetting.none
    /// The user and the password for a proxy that the environment names without them.
    package var environmentProxyCredentials: ProxyCredentials?
    /// The TLS configuration for a proxy of `https:`; `tls` applies to the service only. Default: the system's store.
    public var proxyTLS = TLSConfiguration()
    /// Receives life-cycle messages, with channel URIs redacted. Default: no log.
    ///
    /// Its handler is called on the loop's thread and must not block. swift-log's own handlers, for example, wait for
    /// the reader of standard error, which delays all channels of the loop.
    public var logger = ChannelConfiguration.silentLogger

    /// Made once: a logger allocates memory.
    private static let silentLogger = Logger(label: "genesys-loop.channel", factory: { _ in SwiftLogNoOpLogHandler() })

    /// The defaults.
    public init() {}

    /// The settings for the channel's machine.
    func settings(rolloverJitter: Duration) -> ChannelSettings {
        var settings = ChannelSettings()
        settings.lifetime = lifetime
        settings.extendsLifetime = extendsLifetime
        settings.reconnect = reconnect
        settings.rollover = rollover
        settings.takeover = takeover
        settings.heartbeatSilence = heartbeatTimeout
        settings.heartbeatGrace = pingTimeout
        settings.commandTimeout = deadlines.subscribe
        settings.closeTimeout = deadlines.close
        settings.rolloverJitter = rolloverJitter
        return settings
    }
}
