/// Who drives a link. All calls come on the loop's thread, inside a pass.
///
/// The link holds its owner unretained; the owner drops its links, or sets their `owner` to nil, before it dies.
protocol LinkOwner: AnyObject {
    /// An address of the server, or of the proxy, took the TCP connection.
    func link(_ link: Link, didReach address: SocketAddress)
    /// The upgrade was accepted.
    func linkDidOpen(_ link: Link)
    /// There may be messages: pull them with `Link.nextEvent(from:)`, inside `Link.withStream`, until it says
    /// `needMore`.
    func linkDidReceive(_ link: Link)
    /// Of what `send` queued no more is unsent than the low-water mark of the configuration, or nothing.
    func linkDidDrain(_ link: Link)
    /// A phase with another `deadline` has begun: the owner's timer may be due earlier than it is set to.
    func linkDidChangeDeadline(_ link: Link)
    /// The connection is over, or only its closing handshake is left; nothing more comes from it. Not called after
    /// `retire` or `drop`.
    func link(_ link: Link, didEnd end: LinkEnd)
    /// The link has let go of its socket. The last call.
    func linkDidFinish(_ link: Link)
}

extension LinkOwner {
    /// Whoever makes one link only learns nothing from it.
    func link(_ link: Link, didReach address: SocketAddress) {}
}

/// What a pull from a link yields.
enum LinkEvent: Equatable {
    /// A message that lies whole in the input: `LinkStream.payload(_:)` of the range.
    case message(MessageKind, Range<Int>)
    /// A message that was put together: `LinkStream.takeMessage()`, then `LinkStream.recycle(_:)`.
    case assembledMessage(MessageKind)
    /// A Pong frame: `LinkStream.pongPayload`.
    case pong
    /// Nothing more for now.
    case needMore
}
