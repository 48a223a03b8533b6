public import Logging

/// How a channel behaves. A value: changing it after the channel was made changes nothing.
public struct ChannelConfiguration: Sendable {
    /// From a confirmation to the extension of the channel's life, which the service limits to 24 h from the last
    /// confirmed subscription. Default 23 h.
    public var lifetime: Duration = .seconds(23 * 3600)
    /// Whether the channel extends its life by itself; otherwise `willExpire` lets the host act. Default true.
    public var extendsLifetime = true
    /// What is done about a loss. Default `.backoff`.
    public var reconnect: ReconnectPolicy = .backoff(.init())
    /// Who answers the maintenance notice. Default `.automatic`.
    public var rollover: RolloverPolicy = .automatic
    /// The time without a byte after which the service is asked for a sign of life. It sends one every 30 s by itself.
    /// Default 35 s.
    public var heartbeatTimeout: Duration = .seconds(35)
    /// How long the service may take for that sign of life. Default 7 s.
    public var pingTimeout: Duration = .seconds(7)
    /// How long each phase of a connection may take.
    public var deadlines = Deadlines()
    /// The largest message accepted, in bytes, decompressed; never more than 4 GiB. A larger one ends the channel with
    /// `messageTooLarge`. Default 16 MiB.
    public var maxMessageSize = 16 * 1024 * 1024
    /// Offers permessage-deflate (RFC 7692). Default nil: nothing is offered, and nothing compressed.
    ///
    /// A channel receives much and sends little; what it costs is worth it only where bandwidth is scarce.
    public var compression: Compression?
    /// How many redirects of the upgrade are followed, one after the other. Default 0: none.
    ///
    /// The service sends none; a gateway in front of it may. The statuses are 301, 302, 307 and 308, and never is one
    /// from `wss:` to `ws:` followed. Another host, port or scheme than the first is shown no `tls.identity`, and
    /// `tls.serverName` does not count for it. One that is not followed is a failure with reason `invalidStatusCode`,
    /// whose `underlying` says why. Each reconnect begins at the channel's own URI, and the deadlines begin anew with
    /// each connection.
    public var maxRedirects = 0
    /// Whom to trust, and what to accept and show.
    public var tls = TLSConfiguration()
    /// Whether to connect through a proxy. Default `.none`.
    public var proxy = ProxySetting.none
    /// Whom to trust at a proxy of `https:`, and what to accept and show there; `tls` is for the service alone. Default:
    /// the system's store.
    public var proxyTLS = TLSConfiguration()
    /// Where life-cycle messages go; channel URIs are redacted in it. Default: nowhere.
    ///
    /// Its handler is called on the loop's thread and must not block: swift-log's own handlers, for example, wait for
    /// whoever reads standard error, and all channels of the loop with them.
    public var logger = ChannelConfiguration.silentLogger

    /// Made once: a logger has memory of its own.
    private static let silentLogger = Logger(label: "genesys-loop.channel", factory: { _ in SwiftLogNoOpLogHandler() })

    /// The defaults.
    public init() {}

    /// What the channel's machine needs of it.
    func settings(rolloverJitter: Duration) -> ChannelSettings {
        var settings = ChannelSettings()
        settings.lifetime = lifetime
        settings.extendsLifetime = extendsLifetime
        settings.reconnect = reconnect
        settings.rollover = rollover
        settings.heartbeatSilence = heartbeatTimeout
        settings.heartbeatGrace = pingTimeout
        settings.commandTimeout = deadlines.subscribe
        settings.closeTimeout = deadlines.close
        settings.rolloverJitter = rolloverJitter
        return settings
    }
}
