internal import GenesysLoop

/// Who drives `ServerConnection`s: what it demands of them, and what they tell.
///
/// A connection holds its owner unretained; the owner keeps it until `connection(_:didEndWith:)`, the last call.
protocol ServerConnectionOwner: AnyObject {
    /// The certificate and key to show; nil without TLS.
    var context: TLSContext? { get }
    /// What a client may make a connection hold.
    var limits: MessageLimits { get }
    /// What is agreed on when a client offers permessage-deflate (RFC 7692); nil declines.
    var compression: Compression? { get }
    /// How long a client may take from the TCP connection to the end of its upgrade request.
    var requestTimeout: Duration { get }
    /// How long a client may take to answer a Close frame.
    var closeTimeout: Duration { get }
    /// How many bytes may wait for a client when another message is to be sent.
    var maxQueuedByteCount: Int { get }
    /// How long an upgrade request waits for its answer.
    var upgradeDelay: Duration { get }
    /// Whether pings are answered (RFC 6455 §5.5.2).
    var answersPingFrames: Bool { get }

    /// Whether requests that want no WebSocket are answered by `connection(_:didRequest:)` too.
    var servesRequests: Bool { get }

    /// A valid upgrade request came.
    func connection(_ connection: ServerConnection, didRequest target: String) -> ServerConnection.Answer
    /// A request came that wants no WebSocket; nil if there is nothing at its target.
    func connection(
        _ connection: ServerConnection, didRequest request: SimulatedService.RESTRequest
    ) -> SimulatedService.RESTAnswer?
    /// A message came on an open connection.
    func connection(_ connection: ServerConnection, didReceive kind: MessageKind, _ message: [UInt8])
    /// An accepted connection is no longer open; it may still have to close in order.
    func connectionDidLeave(_ connection: ServerConnection)
    /// `flush()` is to be called in the next pass.
    func connectionHasOutput(_ connection: ServerConnection)
    /// Of what waited for the client of an open connection nothing is left, or no more than its low-water mark.
    func connectionDidDrain(_ connection: ServerConnection)
    /// It has let go of its socket; the group knows when the last of its handles is closed.
    func connection(_ connection: ServerConnection, didEndWith group: HandleGroup)
}
