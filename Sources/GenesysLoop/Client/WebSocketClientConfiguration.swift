public import Logging

/// How a WebSocket client behaves.
///
/// A value: changing it after the client was made has no effect.
public struct WebSocketClientConfiguration: Sendable {
    /// Subprotocols to offer, in order of preference; the server chooses one of them or none. Default: none.
    ///
    /// After a redirect to another host, port or scheme, only those in `publicSubprotocols` are offered.
    public var subprotocols: [String] = []
    /// Headers of the upgrade request, added to those of the handshake, which they cannot replace. Default: none.
    ///
    /// After a redirect to another host, port or scheme, only those in `publicHeaders` are sent.
    public var headers: [(name: String, value: String)] = []
    /// Names of `headers`, in any case, that hold no secret: they are sent to every target of a redirect. Default:
    /// none.
    public var publicHeaders: Set<String> = []
    /// Those of `subprotocols` that hold no secret: they are offered to every target of a redirect. Default: none.
    public var publicSubprotocols: Set<String> = []
    /// The `User-Agent` of the upgrade request, sent to every target of a redirect; nil sends none. Default
    /// `GenesysLoop`.
    public var userAgent: String? = "GenesysLoop"
    /// How many redirects of the upgrade are followed in a row; 0 follows none. Default 5: redirects are common among
    /// endpoints in general. `ChannelConfiguration.maxRedirects` says why a channel follows none.
    ///
    /// The statuses are 301, 302, 307 and 308. A redirect from `wss:` to `ws:` is never followed. Another host, port or
    /// scheme than the first is another origin. From then on, even back at the first one, only the headers and
    /// subprotocols that `publicHeaders` and `publicSubprotocols` name are sent (RFC 9110 §15.4), `tls.identity` is not
    /// shown, and `tls.serverName` does not apply; `tls.trust` and `tls.pins` do. A redirect that is not followed is a
    /// failure with reason `invalidStatusCode`, whose `underlying` says why. The deadlines start again with each
    /// connection.
    public var maxRedirects = 5
    /// How long each phase of the connection may take; `subscribe` is not used.
    public var deadlines = Deadlines()
    /// The largest accepted message, in bytes after decompression. A larger one ends the connection with
    /// `messageTooLarge`. Default 16 MiB.
    public var maxMessageSize = 16 * 1_024 * 1_024
    /// Offers permessage-deflate (RFC 7692). Default nil: no offer, no compression.
    public var compression: Compression?
    /// The number of queued bytes from which `send` takes no more messages. Default 1 MiB.
    ///
    /// Below it a message of any size is taken, so at most this many bytes and one message are queued.
    public var sendHighWaterMark = 1_024 * 1_024
    /// The number of queued bytes at which `webSocketDidBecomeWritable` follows a `.wouldBlock`. Default 256 KiB.
    ///
    /// A value that is not below `sendHighWaterMark` counts as just below it.
    public var sendLowWaterMark = 256 * 1_024
    /// Which certificates to trust, which TLS parameters to accept, and which identity to show; for `wss:` only.
    public var tls = TLSConfiguration()
    /// Whether to connect through a proxy. Default `.none`.
    public var proxy = ProxySetting.none
    /// The TLS configuration for a proxy of `https:`; `tls` applies to the server only. Default: the system's store.
    public var proxyTLS = TLSConfiguration()
    /// Receives life-cycle messages, with URIs redacted. Default: no log.
    public var logger = WebSocketClientConfiguration.silentLogger

    /// Made once: a logger allocates memory.
    private static let silentLogger = Logger(
        label: "genesys-loop.websocket", factory: { _ in SwiftLogNoOpLogHandler() })

    /// The defaults.
    public init() {}

    /// The link configuration of a client with this configuration.
    func link(context: TLSContext?, proxy: ProxyRules?, trail: RedirectTrail) -> LinkConfiguration {
        let link = LinkConfiguration(
            context: context, deadlines: deadlines, limits: MessageLimits(maxMessageByteCount: maxMessageSize))
        link.proxy = proxy
        link.subprotocols = trail.permitted(subprotocols: subprotocols, public: publicSubprotocols)
        link.headers = trail.permitted(headers: headers, public: publicHeaders)
        link.compression = compression
        link.userAgent = userAgent
        link.lowWaterMark = WebSocketClientMachine.effective(
            lowWaterMark: sendLowWaterMark, highWaterMark: sendHighWaterMark)
        return link
    }

    /// Refuses headers that would break the upgrade request.
    func check(for uri: WebSocketURI) throws(WebSocketUsageError) {
        do throws(InvalidHeader) {
            _ = try UpgradeRequest.encode(
                uri: uri, key: "", subprotocols: subprotocols, extraHeaders: headers.map { ($0.name, $0.value) },
                userAgent: userAgent)
        } catch {
            throw .invalidHeader(error.description)
        }
    }
}

/// Headers and subprotocols often hold tokens: neither printing nor dumping the configuration shows them.
extension WebSocketClientConfiguration: CustomReflectable {
    /// The members, with the number of subprotocols and the names of the headers instead of their values.
    public var customMirror: Mirror {
        Mirror(
            self,
            children: [
                "subprotocols": subprotocols.count, "headers": headers.map(\.name),
                "publicSubprotocols": publicSubprotocols.count, "publicHeaders": publicHeaders,
                "userAgent": userAgent as Any,
                "maxRedirects": maxRedirects, "deadlines": deadlines, "maxMessageSize": maxMessageSize,
                "compression": compression as Any, "sendHighWaterMark": sendHighWaterMark,
                "sendLowWaterMark": sendLowWaterMark, "tls": tls, "proxy": proxy, "proxyTLS": proxyTLS,
            ],
            displayStyle: .struct)
    }
}
