/// The options that channels of one configuration share on a loop, so that ten thousand channels hold them once.
final class SharedLinkOptions {
    /// The configuration of the first channel; those of the others differ at most in their loggers.
    let configuration: ChannelConfiguration
    let settings: Boxed<ChannelSettings>
    private var secureLink: LinkConfiguration?
    /// For redirects to another origin.
    private var strangersLink: LinkConfiguration?
    private var plainLink: LinkConfiguration?
    /// Nil means not read yet.
    private var proxy: ProxyRules??

    init(_ configuration: ChannelConfiguration) {
        self.configuration = configuration
        settings = Boxed(configuration.settings(rolloverJitter: .zero))
    }

    /// The link configuration for `uri`; the first one for a `wss:` URI makes the TLS context.
    func link(to uri: WebSocketURI, on loop: UVLoop) throws(LinkFailure) -> LinkConfiguration {
        let proxy = try proxyRules(on: loop)
        _ = try proxy?.check(uri)
        if let made = uri.isSecure ? secureLink : plainLink { return made }
        let made = try link(tls: uri.isSecure ? configuration.tls : nil, proxy, on: loop)
        if uri.isSecure { secureLink = made } else { plainLink = made }
        return made
    }

    /// The link configuration for the target of redirects.
    func link(along trail: RedirectTrail, on loop: UVLoop) throws(LinkFailure) -> LinkConfiguration {
        guard trail.uri.isSecure, trail.hasLeftOrigin else { return try link(to: trail.uri, on: loop) }
        let proxy = try proxyRules(on: loop)
        _ = try proxy?.check(trail.uri)
        if let made = strangersLink { return made }
        let made = try link(tls: configuration.tls.crossOrigin, proxy, on: loop)
        strangersLink = made
        return made
    }

    private func link(
        tls: TLSConfiguration?, _ proxy: ProxyRules?, on loop: UVLoop
    ) throws(LinkFailure) -> LinkConfiguration {
        var context: TLSContext?
        if let tls { context = try loop.sharedContext(checking: tls, logger: configuration.logger) }
        let link = LinkConfiguration(
            context: context, deadlines: configuration.deadlines,
            limits: MessageLimits(
                maxMessageByteCount: min(configuration.maxMessageSize, JSONSlice.maxMessageByteCount)))
        link.compression = configuration.compression
        link.proxy = proxy
        return link
    }

    private func proxyRules(on loop: UVLoop) throws(LinkFailure) -> ProxyRules? {
        if let made = proxy { return made }
        let made = try loop.proxyRules(
            configuration.proxy, credentials: configuration.environmentProxyCredentials, tls: configuration.proxyTLS,
            logger: configuration.logger)
        proxy = .some(made)
        return made
    }
}

extension UVLoop {
    /// The shared options for `configuration`: those of the previous channel, if it had the same configuration.
    ///
    /// Only the last options are remembered. A host with many configurations makes them for each channel, but never
    /// keeps those of a channel that has ended.
    func sharedLinkOptions(_ configuration: ChannelConfiguration) -> SharedLinkOptions {
        shared(ObjectIdentifier(SharedLinkOptions.self), where: { $0.configuration.isSame(as: configuration) }) {
            SharedLinkOptions(configuration)
        }
    }
}

extension ChannelConfiguration {
    /// Whether it equals another except for the logger.
    func isSame(as other: ChannelConfiguration) -> Bool {
        lifetime == other.lifetime && extendsLifetime == other.extendsLifetime && reconnect == other.reconnect
            && rollover == other.rollover && takeover == other.takeover
            && heartbeatTimeout == other.heartbeatTimeout
            && pingTimeout == other.pingTimeout && deadlines == other.deadlines
            && maxMessageSize == other.maxMessageSize && compression == other.compression && tls == other.tls
            && proxy == other.proxy && environmentProxyCredentials == other.environmentProxyCredentials
            && proxyTLS == other.proxyTLS && maxRedirects == other.maxRedirects
    }
}

extension WebSocketURI {
    /// Parses a URI of the host.
    ///
    /// - Throws: why it is invalid.
    init(checking uri: String) throws(LinkFailure) {
        do throws(InvalidURI) {
            try self.init(uri)
        } catch {
            throw .invalidURI(error)
        }
    }
}
