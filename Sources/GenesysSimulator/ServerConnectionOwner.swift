internal import GenesysLoop

/// The driver of `ServerConnection`s: the settings that they use, and the events that they report.
///
/// A connection holds its owner unretained; the owner keeps it until `connection(_:didEndWith:)`, the last call.
protocol ServerConnectionOwner: AnyObject {
    /// The certificate and key; nil without TLS.
    var context: TLSContext? { get }
    /// What a client may make a connection hold.
    var limits: MessageLimits { get }
    /// The agreed compression when a client offers permessage-deflate (RFC 7692); nil declines.
    var compression: Compression? { get }
    /// How long a client may take from the TCP connection to the end of its upgrade request.
    var requestTimeout: Duration { get }
    /// How long a client may take to answer a Close frame.
    var closeTimeout: Duration { get }
    /// The maximum number of unsent bytes of a client when another message is queued.
    var maxQueuedByteCount: Int { get }
    /// How long an upgrade request waits for its answer.
    var upgradeDelay: Duration { get }
    /// Whether pings are answered (RFC 6455 §5.5.2).
    var answersPingFrames: Bool { get }

    /// Whether requests that are not for a WebSocket are answered by `connection(_:didRequest:)` too.
    var servesRequests: Bool { get }
    /// How their answers are written.
    var wire: SimulatedService.Configuration.Wire { get }

    /// A valid upgrade request arrived.
    func connection(_ connection: ServerConnection, didRequest target: String) -> ServerConnection.Answer
    /// A request arrived that is not for a WebSocket; nil if there is nothing at its target.
    func connection(
        _ connection: ServerConnection, didRequest request: SimulatedService.RESTRequest
    ) -> SimulatedService.RESTAnswer?
    /// A message arrived on an open connection.
    func connection(_ connection: ServerConnection, didReceive kind: MessageKind, _ message: [UInt8])
    /// An accepted connection is no longer open; its closing handshake may still continue.
    func connectionDidLeave(_ connection: ServerConnection)
    /// Call `flush()` in the next pass.
    func connectionHasOutput(_ connection: ServerConnection)
    /// The unsent bytes of an open connection fell to zero, or to its low-water mark.
    func connectionDidDrain(_ connection: ServerConnection)
    /// It has released its socket; the group knows when the last of its handles is closed.
    func connection(_ connection: ServerConnection, didEndWith group: HandleGroup)
}
