/// The phases from name resolution to the upgrade request.
extension Link: ConnectorOwner, TCPConnectionOwner {
    func connectorDidFindAddress(_ connector: Connector) {
        guard phase == .resolving else { return }
        enter(.connecting, for: configuration.deadlines.connect)
    }

    func connector(_ connector: Connector, didFailToResolve error: ResolverError) {
        guard phase == .resolving else { return }
        fail(.unresolved(error, proxy: establishment?.proxy))
        reportEndIfDue()
    }

    func connector(_ connector: Connector, didFailWith error: UVError, tried: [String]) {
        guard phase == .connecting else { return }
        fail(.unreachable(error, tried: tried, proxy: establishment?.proxy))
        reportEndIfDue()
    }

    func connector(_ connector: Connector, didConnect connection: TCPConnection, to address: SocketAddress) {
        guard phase == .connecting else { return connection.close() }
        unsafe owner?.link(self, didReach: address)
        establishment?.connector = nil
        unsafe connection.owner = self
        connection.lowWaterMark = configuration.lowWaterMark
        tcp = connection
        if let proxy = establishment?.proxy {
            startTunnel(to: proxy, over: connection)
        } else {
            startWithServer()
        }
        reportEndIfDue()
    }

    /// There is a connection to the server, direct or through a tunnel.
    func startWithServer() {
        if let context = configuration.context {
            startTLS(context)
        } else {
            startUpgrade()
        }
        tcp?.startReading()
        flush()
        tls?.releaseBuffers()
    }

    private func startTLS(_ context: TLSContext) {
        enter(.securing, for: configuration.deadlines.tls)
        do throws(TLSError) {
            let session = try TLSSession(context: context, clientFor: uri.host, port: uri.port)
            tls = session
            inbound = Inbound(limits: configuration.limits, tls: session)
            _ = try session.handshake()
        } catch {
            fail(.tls(error, during: .tls))
        }
    }

    /// RFC 6455 §4.1.
    func startUpgrade() {
        guard establishment?.observer?.linkShouldUpgrade() != false else {
            return enter(.held, for: configuration.deadlines.upgrade)
        }
        enter(.upgrading, for: configuration.deadlines.upgrade)
        let key = HandshakeKey.make()
        let offer = configuration.compression?.offer
        establishment?.upgrade = UpgradeResponseParser(
            expectedAccept: HandshakeKey.accept(for: key), offeredSubprotocols: configuration.subprotocols,
            deflateOffer: offer)
        do throws(InvalidHeader) {
            outbox = try UpgradeRequest.encode(
                uri: uri, key: key, subprotocols: configuration.subprotocols, deflate: offer,
                extraHeaders: configuration.headers.map { ($0.name, $0.value) }, userAgent: configuration.userAgent)
        } catch {
            fail(.invalidHeader(error))
        }
    }

    /// The current phase, as failures name it.
    var failurePhase: LinkFailure.Phase {
        switch phase {
        case .idle, .waiting, .resolving: .dns
        case .connecting: .connect
        case .tunneling: .proxy
        case .securing, .held: .tls
        case .upgrading: .upgrade
        case .open, .ended: .open
        case .closing, .lingering: .close
        }
    }
}

/// The phase of a proxy, between TCP and the server.
extension Link {
    func startTunnel(to proxy: ProxyURI, over tcp: TCPConnection) {
        enter(.tunneling, for: configuration.deadlines.proxy)
        let tunnel = ProxyTunnel(tcp, to: proxy, for: self)
        self.tunnel = tunnel
        do throws(TLSError) {
            try tunnel.start(context: proxy.scheme == .https ? configuration.proxy?.context : nil)
        } catch {
            fail(.proxyTLS(error, of: proxy))
        }
    }

    /// The proxy has opened the tunnel.
    ///
    /// - Parameter rest: the first bytes of the server; lent for the call.
    func tunnelDidOpen(_ rest: UnsafeRawBufferPointer, isDrained: Bool) {
        guard phase == .tunneling else { return }
        establishment?.observer?.link(didTake: .openedTunnel)
        startWithServer()
        if rest.count > 0 { return unsafe receive(rest, isDrained: isDrained) }
        reportEndIfDue()
    }
}
