public import Logging

/// How a WebSocket client behaves.
///
/// A value: changing it after the client was made changes nothing.
public struct WebSocketClientConfiguration: Sendable {
    /// Subprotocols to offer, in order of preference; the server chooses one of them or none. Default: none.
    ///
    /// Where a redirect leads to another host, port or scheme, only those of `publicSubprotocols` are offered.
    public var subprotocols: [String] = []
    /// Headers of the upgrade request besides those of the handshake, which they cannot replace. Default: none.
    ///
    /// Where a redirect leads to another host, port or scheme, only those of `publicHeaders` are sent.
    public var headers: [(name: String, value: String)] = []
    /// Names of `headers`, in any case of their letters, that hold no secret: they are sent to wherever a redirect leads.
    /// Default: none.
    public var publicHeaders: Set<String> = []
    /// Those of `subprotocols` that hold no secret: they are offered to wherever a redirect leads. Default: none.
    public var publicSubprotocols: Set<String> = []
    /// The `User-Agent` of the upgrade request, sent to wherever a redirect leads; nil sends none. Default `GenesysLoop`.
    public var userAgent: String? = "GenesysLoop"
    /// How many redirects of the upgrade are followed, one after the other; 0 follows none. Default 5.
    ///
    /// The statuses are 301, 302, 307 and 308. A redirect from `wss:` to `ws:` is never followed. Another host, port or
    /// scheme than the first is another origin: from then on, even back at the first one, no header and no subprotocol is
    /// sent that `publicHeaders` or `publicSubprotocols` does not name (RFC 9110 §15.4), `tls.identity` is not shown, and
    /// `tls.serverName` does not count; `tls.trust` and `tls.pins` do. A redirect that is not followed is a failure with
    /// reason `invalidStatusCode`, whose `underlying` says why. The deadlines begin anew with each connection.
    public var maxRedirects = 5
    /// How long each phase of the connection may take; `subscribe` plays no part.
    public var deadlines = Deadlines()
    /// The largest message accepted, in bytes, decompressed. A larger one ends the connection with `messageTooLarge`. Default 16 MiB.
    public var maxMessageSize = 16 * 1_024 * 1_024
    /// Offers permessage-deflate (RFC 7692). Default nil: nothing is offered, and nothing compressed.
    public var compression: Compression?
    /// From this many queued bytes on, `send` takes nothing more. Default 1 MiB.
    ///
    /// Below it a message of any size is taken, so that at most this and one message are queued.
    public var sendHighWaterMark = 1_024 * 1_024
    /// When so few bytes are queued, `webSocketDidBecomeWritable` follows a `.wouldBlock`. Default 256 KiB.
    ///
    /// One that is not below the high one is taken to be just below it.
    public var sendLowWaterMark = 256 * 1_024
    /// Whom to trust, and what to accept and show; for `wss:` only.
    public var tls = TLSConfiguration()
    /// Whether to connect through a proxy. Default `.none`.
    public var proxy = ProxySetting.none
    /// Whom to trust at a proxy of `https:`, and what to accept and show there; `tls` is for the server alone. Default:
    /// the system's store.
    public var proxyTLS = TLSConfiguration()
    /// Where life-cycle messages go; URIs are redacted in it. Default: nowhere.
    public var logger = WebSocketClientConfiguration.silentLogger

    /// Made once: a logger has memory of its own.
    private static let silentLogger = Logger(
        label: "genesys-loop.websocket", factory: { _ in SwiftLogNoOpLogHandler() })

    /// The defaults.
    public init() {}

    /// What the link needs of it.
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

    /// Refuses what would break the upgrade request.
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
    /// The members, with the number of the subprotocols and the names of the headers in place of their values.
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
