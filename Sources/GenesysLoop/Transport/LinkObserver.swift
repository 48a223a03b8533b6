/// Watches the links of a loop until they are open, for a diagnosis that needs more than a link's failure.
///
/// A link of a loop without an observer does nothing for it. Every call comes inside a pass of the loop and reports
/// what was done; the end of the link is reported to its owner only. Calls to the public API are legal, and take effect
/// later.
package protocol LinkObserver: AnyObject {
    func link(didTake step: LinkStep)

    /// The connection to the server is established and, with `wss:`, secured.
    ///
    /// - Returns: whether to request the upgrade, which takes the channel from a client that has it. If false, the link
    ///   waits until its owner ends it, or until the deadline of the upgrade.
    func linkShouldUpgrade() -> Bool
}

/// A step of a link on its way to being open.
package enum LinkStep {
    /// The look-up of the server's name started, or of the name of the proxy, with the variable of the environment
    /// that names it.
    case startedLookup(host: String, port: UInt16, proxy: ProxyURI?, variable: String?)
    /// The look-up of one family ended. The other may be given up once an address has accepted.
    case lookedUp(AddressFamily, Result<[SocketAddress], ResolverError>)
    /// An address is being tried.
    case startedAttempt(SocketAddress)
    /// An address accepted a TCP connection (nil), or did not. Not for an attempt that was given up.
    case endedAttempt(SocketAddress, UVError?)
    /// The proxy opened the tunnel.
    case openedTunnel
    /// TLS with the server is established, or was given up.
    case endedHandshake(HandshakeReport)
    /// The server answered the upgrade; `date` is the answer's `Date`.
    case readResponse(status: Int, date: WallTime?)
    /// That answer is accepted: the link is open.
    case opened
}

extension UVLoop {
    /// The observer of each link that connects from now on; held weakly. For a loop with a single channel or client.
    package var linkObserver: (any LinkObserver)? {
        get { (attachments[ObjectIdentifier(LinkObservation.self)] as? LinkObservation)?.observer }
        set { attachments[ObjectIdentifier(LinkObservation.self)] = LinkObservation(newValue) }
    }
}

private final class LinkObservation {
    weak var observer: (any LinkObserver)?

    init(_ observer: (any LinkObserver)?) {
        self.observer = observer
    }
}

extension Link {
    /// Reports to the observer what a phase that ends now has found.
    func observeEnd() {
        guard let establishment, let observer = establishment.observer else { return }
        switch phase {
        case .securing:
            if let tls { observer.link(didTake: .endedHandshake(tls.report)) }
        case .upgrading:
            guard let upgrade = establishment.upgrade, let status = upgrade.status else { return }
            observer.link(didTake: .readResponse(status: status, date: upgrade.date(now: loop.now.wall)))
        case .idle, .waiting, .resolving, .connecting, .tunneling, .held, .open, .closing, .lingering, .ended:
            break
        }
    }
}
