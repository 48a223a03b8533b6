/// What channels of one configuration share on a loop, so that ten thousand of them hold it once.
final class SharedLinkOptions {
    /// As the first of them was given it; the others differ by their loggers at most.
    let configuration: ChannelConfiguration
    let settings: Boxed<ChannelSettings>
    private var secureLink: LinkConfiguration?
    /// Where redirects lead away from the host's own server.
    private var strangersLink: LinkConfiguration?
    private var plainLink: LinkConfiguration?
    /// Nil: not read yet.
    private var proxy: ProxyRules??

    init(_ configuration: ChannelConfiguration) {
        self.configuration = configuration
        settings = Boxed(configuration.settings(rolloverJitter: .zero))
    }

    /// The rules of a link to `uri`; the first one to a `wss:` URI makes the TLS context.
    func link(to uri: WebSocketURI, on loop: UVLoop) throws(ChannelFailure) -> LinkConfiguration {
        let proxy = try proxyRules(on: loop)
        _ = try proxy?.check(uri)
        if let made = uri.isSecure ? secureLink : plainLink { return made }
        let made = try link(tls: uri.isSecure ? configuration.tls : nil, proxy, on: loop)
        if uri.isSecure { secureLink = made } else { plainLink = made }
        return made
    }

    /// The rules of a link to where redirects have led.
    func link(along trail: RedirectTrail, on loop: UVLoop) throws(ChannelFailure) -> LinkConfiguration {
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
    ) throws(ChannelFailure) -> LinkConfiguration {
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

    private func proxyRules(on loop: UVLoop) throws(ChannelFailure) -> ProxyRules? {
        if let made = proxy { return made }
        let made = try loop.proxyRules(
            configuration.proxy, tls: configuration.proxyTLS, logger: configuration.logger)
        proxy = .some(made)
        return made
    }
}

extension UVLoop {
    /// The linkOptions of `configuration`: those of the channel made before, where it had the same.
    ///
    /// Only the last ones are remembered. A host with many configurations pays for each channel, and never for one that
    /// has ended.
    func sharedLinkOptions(_ configuration: ChannelConfiguration) -> SharedLinkOptions {
        shared(ObjectIdentifier(SharedLinkOptions.self), where: { $0.configuration.isSame(as: configuration) }) {
            SharedLinkOptions(configuration)
        }
    }
}

extension ChannelConfiguration {
    /// Whether it equals another in all but the logger.
    func isSame(as other: ChannelConfiguration) -> Bool {
        lifetime == other.lifetime && extendsLifetime == other.extendsLifetime && reconnect == other.reconnect
            && rollover == other.rollover && heartbeatTimeout == other.heartbeatTimeout
            && pingTimeout == other.pingTimeout && deadlines == other.deadlines
            && maxMessageSize == other.maxMessageSize && compression == other.compression && tls == other.tls
            && proxy == other.proxy && proxyTLS == other.proxyTLS && maxRedirects == other.maxRedirects
    }
}

extension WebSocketURI {
    /// Takes a URI of the host apart.
    ///
    /// - Throws: what is wrong with it, in the linkOptions of a channel.
    init(checking uri: String) throws(ChannelFailure) {
        do throws(InvalidURI) {
            try self.init(uri)
        } catch {
            throw ChannelFailure(reason: .invalidURI, phase: .dns, message: error.description)
        }
    }
}
