/// The owner of a link, which drives it. All calls come on the loop's thread, inside a pass.
///
/// The link holds its owner unretained; the owner drops its links, or sets their `owner` to nil, before it is
/// deallocated.
protocol LinkOwner: AnyObject {
    /// An address of the server, or of the proxy, accepted the TCP connection.
    func link(_ link: Link, didReach address: SocketAddress)
    /// The upgrade was accepted.
    func linkDidOpen(_ link: Link)
    /// Bytes arrived, or a pause is over: take the messages with `Link.deliver` until it returns false.
    ///
    /// - Parameter isDrained: whether they are all that had arrived; false after a pause.
    func linkDidReceive(_ link: Link, isDrained: Bool)
    /// The queue has drained to the low-water mark of the configuration, or to nothing.
    func linkDidDrain(_ link: Link)
    /// The `deadline` has changed: it may be earlier than the owner's timer.
    func linkDidChangeDeadline(_ link: Link)
    /// The connection is over, or only its closing handshake remains; no more messages follow. Not called after
    /// `retire` or `drop`.
    func link(_ link: Link, didEnd failure: LinkFailure)
    /// The link has released its socket. The last call.
    func linkDidFinish(_ link: Link)
}

extension LinkOwner {
    /// An owner of a single link does not need the address.
    func link(_ link: Link, didReach address: SocketAddress) {}
}

/// What a link delivers to its owner; all other events are the link's own business.
enum Delivery {
    case text
    case binary
    /// A Pong frame.
    case pong

    init(_ kind: MessageKind) {
        switch kind {
        case .text: self = .text
        case .binary: self = .binary
        }
    }
}
