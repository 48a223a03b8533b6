/// From the name to the upgrade request.
extension Link: ResolutionOwner, TCPConnectionOwner {
    package func resolution(_ resolution: Resolution, didFind addresses: [SocketAddress]) {
        guard phase == .resolving else { return }
        approach?.resolution = nil
        approach?.addresses = addresses[...]
        enter(.connecting, for: configuration.deadlines.connect)
        if !connectToNextAddress() {
            fail(ChannelFailure(reason: .dns, phase: .dns, message: "the name has no address"))
        }
        settle()
    }

    package func resolution(_ resolution: Resolution, didFailWith error: ResolverError) {
        guard phase == .resolving else { return }
        approach?.resolution = nil
        fail(ChannelFailure(resolver: error))
        settle()
    }

    /// Tries the next address; false when there is none left.
    private func connectToNextAddress() -> Bool {
        guard let address = approach?.addresses.popFirst() else { return false }
        let tcp = TCPConnection(loop: loop, group: group, owner: self)
        tcp.lowWaterMark = configuration.lowWaterMark
        self.tcp = tcp
        approach?.address = address
        tcp.connect(to: address)
        return true
    }

    package func connection(_ connection: TCPConnection, didFailToConnect error: UVError) {
        guard phase == .connecting, connection === tcp, let approach else { return }
        approach.failedAddresses.append("\(approach.address.map(\.description) ?? ""): \(error.text)")
        tcp = nil
        if !connectToNextAddress() { fail(ChannelFailure(connect: error, addresses: approach.failedAddresses)) }
        settle()
    }

    package func connectionDidConnect(_ connection: TCPConnection) {
        guard phase == .connecting, connection === tcp else { return }
        if let proxy = approach?.proxy {
            startTunnel(to: proxy, over: connection)
        } else {
            startWithServer()
        }
        settle()
    }

    /// The server is reached.
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
            stream = LinkStream(reader: MessageReader(role: .client, limits: configuration.limits), tls: session)
            _ = try session.handshake()
        } catch {
            fail(ChannelFailure(tls: error, phase: .tls))
        }
    }

    /// RFC 6455 §4.1.
    func startUpgrade() {
        enter(.upgrading, for: configuration.deadlines.upgrade)
        let key = HandshakeKey.make()
        let offer = configuration.compression?.offer
        approach?.upgrade = UpgradeResponseParser(
            expectedAccept: HandshakeKey.accept(for: key), offeredSubprotocols: configuration.subprotocols,
            deflateOffer: offer)
        do throws(InvalidHeader) {
            outbox += try UpgradeRequest.encode(
                uri: uri, key: key, subprotocols: configuration.subprotocols, deflate: offer,
                extraHeaders: configuration.headers.map { ($0.name, $0.value) }, userAgent: configuration.userAgent)
        } catch {
            fail(ChannelFailure(reason: .invalidURI, phase: .upgrade, message: error.description))
        }
    }

    /// The phase as failures name it.
    var failurePhase: ChannelFailure.Phase {
        switch phase {
        case .idle, .waiting, .resolving: .dns
        case .connecting: .connect
        case .tunneling: .proxy
        case .securing: .tls
        case .upgrading: .upgrade
        case .open, .ended: .open
        case .closing, .lingering: .close
        }
    }
}
