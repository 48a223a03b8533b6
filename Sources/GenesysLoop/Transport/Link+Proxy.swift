/// The way through a proxy, between TCP and what is said to the server.
extension Link {
    func startTunnel(to proxy: ProxyURI, over tcp: TCPConnection) {
        enter(.tunneling, for: configuration.deadlines.proxy)
        let tunnel = ProxyTunnel(tcp, to: proxy, for: self)
        self.tunnel = tunnel
        do throws(TLSError) {
            try tunnel.start(context: proxy.scheme == .https ? configuration.proxy?.context : nil)
        } catch {
            fail(ChannelFailure(tls: error, with: proxy))
        }
    }

    /// The proxy has connected us.
    ///
    /// - Parameter rest: what the server has said already; lent for the call.
    func tunnelDidOpen(_ rest: UnsafeRawBufferPointer, isDrained: Bool) {
        guard phase == .tunneling else { return }
        startWithServer()
        if rest.count > 0 { return unsafe receive(rest, isDrained: isDrained) }
        settle()
    }

    /// Until the tunnel is open, what fails without the proxy having said why is the way to the proxy.
    func blamingProxy(for failure: ChannelFailure) -> ChannelFailure {
        switch phase {
        case .resolving, .connecting, .tunneling:
            if let unusable = approach?.unusableProxy { return ChannelFailure(unusable: unusable) }
            return approach?.proxy.map(failure.reaching) ?? failure
        case .idle, .waiting, .securing, .upgrading, .open, .closing, .lingering, .ended:
            return failure
        }
    }
}
