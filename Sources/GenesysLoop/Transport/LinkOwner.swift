/// The owner of a link, which drives it. All calls come on the loop's thread, inside a pass.
///
/// The link holds its owner unretained; the owner drops its links, or sets their `owner` to nil, before it is
/// deallocated.
protocol LinkOwner: AnyObject {
    /// An address of the server, or of the proxy, accepted the TCP connection.
    func link(_ link: Link, didReach address: SocketAddress)
    /// The upgrade was accepted.
    func linkDidOpen(_ link: Link)
    /// There may be messages: pull them with `Link.nextEvent(from:)`, inside `Link.withStream`, until `needMore`.
    func linkDidReceive(_ link: Link)
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

/// The result of a pull from a link.
enum LinkEvent: Equatable {
    /// A message in one piece in the input: `LinkStream.payload(_:)` of the range.
    case message(MessageKind, Range<Int>)
    /// A message assembled from pieces: `LinkStream.takeMessage()`, then `LinkStream.recycle(_:)`.
    case assembledMessage(MessageKind)
    /// A Pong frame: `LinkStream.pongPayload`.
    case pong
    /// No more events until the next read.
    case needMore
}
