public import GenesysLoop
internal import ServerKit

/// The simulated service behind a socket: WebSocket over TLS (or plain) on an event loop of the library.
///
/// ```swift
/// let loop = try UVLoop()
/// let server = try SimulatorServer(on: loop, seed: 1)
/// server.start()
/// let (uri, _) = try server.createChannel()          // wss://localhost:49152/channels/streaming-…
/// ```
///
/// From `start()` to the completion of `close(completion:)` the loop retains the server and keeps running. All calls
/// belong on the loop's thread and trap elsewhere. The output of a call is sent in a pass of the loop, in one write for
/// each connection, never within the call.
///
/// Limits: a client has `requestTimeout` to send its whole upgrade request and `closeTimeout` to answer a Close frame,
/// may leave `maxQueuedByteCount` unread, and may send messages of 1 MiB.
///
/// The service's time starts when the server is made. There is one timer at `SimulatedService.nextDeadline`, and one
/// for each connection, for the limits above.
public final class SimulatorServer {
    /// The loop that drives the server.
    public let loop: UVLoop
    /// The numeric address it listens on.
    public let host: String
    /// The port it listens on, never 0.
    public let port: UInt16
    /// The certificates of its TLS; nil if it speaks `ws:`.
    public let certificates: SimulatorCertificates?

    /// How long a client may take from the TCP connection to the end of its upgrade request.
    ///
    /// Default 10 s.
    public var requestTimeout: Duration = .seconds(10)
    /// How long a client may take to answer a Close frame; then it is dropped.
    ///
    /// Default 2 s.
    public var closeTimeout: Duration = .seconds(2)
    /// The maximum number of bytes that may wait for a client that reads too slowly.
    ///
    /// With more bytes waiting, another message makes the server drop the client by a reset: the queue of a real
    /// service is bounded too. Default 64 MiB.
    public var maxQueuedByteCount = 64 * 1_024 * 1_024

    /// The agreed compression when a client offers permessage-deflate (RFC 7692).
    ///
    /// Default nil: it declines.
    public var compression: Compression?

    /// The service.
    ///
    /// Reading it has no side effects; the calls of the server change it.
    public internal(set) var service: SimulatedService
    /// Why the server can accept no more connections; nil as long as it can.
    ///
    /// Open ones go on.
    public internal(set) var failure: SimulatorError?

    /// TCP connections accepted since the start.
    public internal(set) var acceptedSocketCount = 0
    /// TCP connections that are open, whatever their state.
    public var openSocketCount: Int { connections.count }
    /// Text and binary messages queued for sending, since the start.
    public internal(set) var sentMessageCount = 0
    /// Subscribe commands received since the start, refused ones included.
    public internal(set) var receivedSubscribeCount = 0

    private let name: ServerName
    let context: TLSContext?
    let group: HandleGroup
    let listener: TCPListener
    let timer: Timer
    let origin: Instant
    var life = ServerLife()
    var connections = ConnectionList()
    /// The open sockets of the service, and their connections.
    var sockets: [SimulatedService.SocketID: ServerConnection] = [:]
    var socketIDs: [ObjectIdentifier: SimulatedService.SocketID] = [:]
    /// The time that the timer is set to.
    var armedDeadline: Duration?

    /// Makes a server that listens, but accepts nothing before `start()`: until then, connections are reset.
    ///
    /// - Parameters:
    ///   - loop: drives the server.
    ///   - host: a numeric address of this machine, `0.0.0.0` or `::` for all of them, without brackets. URIs hold it,
    ///     or `localhost` for all. The default nil is `127.0.0.1`, called `localhost` in URIs.
    ///   - port: 0 lets the system choose; see `port`.
    ///   - tls: whether it speaks TLS (`wss:`) or not (`ws:`).
    ///   - certificates: the certificates of its TLS; nil makes certificates in memory that name `host`.
    ///   - configuration: the behavior of the service.
    ///   - seed: decides every random number of the service.
    /// - Throws: `SimulatorError`.
    public init(
        on loop: UVLoop, host: String? = nil, port: UInt16 = 0, tls: Bool = true,
        certificates: SimulatorCertificates? = nil,
        configuration: SimulatedService.Configuration = SimulatedService.Configuration(), seed: UInt64
    ) throws(SimulatorError) {
        loop.preconditionCurrent("SimulatorServer.init")
        self.loop = loop
        name = try ServerName(host)
        let address = name.address
        self.host = address
        if tls, certificates == nil {
            self.certificates = try .inMemory(host: address)
        } else {
            self.certificates = tls ? certificates : nil
        }
        do throws(TLSError) {
            context = try self.certificates?.serverContext()
        } catch {
            throw SimulatorError(.certificates, "The simulator cannot use its certificates: \(error)")
        }
        group = HandleGroup(loop: loop)
        listener = TCPListener(loop: loop, group: group)
        do throws(UVError) {
            try listener.bind(host: address, port: port)
        } catch {
            throw SimulatorError(listeningOn: address, port: port, error)
        }
        self.port = listener.localPort
        timer = Timer(loop: loop, group: group)
        origin = loop.now.instant
        service = SimulatedService(configuration: configuration, seed: seed)
        unsafe listener.owner = self
        unsafe timer.owner = self
    }

    deinit {
        listener.close()
        timer.close()
    }

    /// Accepts connections from now on.
    ///
    /// Calling it again, or after `close(completion:)`, does nothing.
    public func start() {
        loop.preconditionCurrent("SimulatorServer.start")
        guard life.state == .idle else { return }
        life.state = .started
        loop.retain(self)
        serviceDidChange()
    }

    /// Closes everything: accepts no more connections, sends a Close frame with 1001 on open ones, and drops those that
    /// are not closed after `closeTimeout`.
    ///
    /// - Parameter completion: called from the loop when the last handle is closed; soon, if that has already happened.
    public func close(completion: (() -> Void)? = nil) {
        loop.preconditionCurrent("SimulatorServer.close")
        guard life.closeRequested(by: self, on: loop, completion: completion) else { return }
        listener.close()
        timer.close()
        for connection in connections.all { connection.close(.goingAway, reason: "The simulator closes") }
        group.whenEmpty(self)
    }

    /// Whether a text is a valid numeric address to listen on; it need not be one of this machine's.
    public static func isNumericAddress(_ text: String) -> Bool { (try? ServerName(text)) != nil }

    // MARK: - Channels

    /// The behavior of the service.
    ///
    /// Changes apply from the next input on; what is already scheduled stays.
    public var configuration: SimulatedService.Configuration {
        get { service.configuration }
        set {
            loop.preconditionCurrent("SimulatorServer.configuration")
            service.configuration = newValue
            serviceDidChange()
        }
    }

    /// The certificate that clients must trust, in PEM; empty if the server speaks `ws:`.
    public var caCertificatePEM: [UInt8] { certificates?.caCertificatePEM ?? [] }

    /// Creates a channel, as `POST /api/v2/notifications/channels` does.
    ///
    /// - Returns: the URI to connect to, and the channel's id.
    /// - Throws: `SimulatedService.Refusal`, the configured `creationRefusal`.
    public func createChannel() throws(SimulatedService.Refusal) -> (uri: String, id: String) {
        loop.preconditionCurrent("SimulatorServer.createChannel")
        defer { serviceDidChange() }
        let channel = try service.channelCreated(now: now)
        return (uri(ofChannel: channel.id), channel.id)
    }

    /// The URI of a channel, whether it exists or not.
    ///
    /// It holds the address that the server listens on, or `localhost` for none or all.
    public func uri(ofChannel id: String) -> String {
        "\(socketBase())/channels/\(id)"
    }

    /// The address of the REST side: of `/oauth/token`, and of `/api/v2/…`.
    ///
    /// It holds the address that the server listens on, or `localhost` for none or all.
    public var restBase: String { "http\(context == nil ? "" : "s")://\(name.inURI):\(port)" }

    /// The beginning of all URIs of the server.
    ///
    /// - Parameter host: the host and port of a request: for a server on all addresses, only the request says how the
    ///   client reaches it.
    func socketBase(for host: String? = nil) -> String {
        let scheme = context == nil ? "ws" : "wss"
        if let host, name.isWildcard, (try? WebSocketURI("\(scheme)://\(host)"))?.target == "/" {
            return "\(scheme)://\(host)"
        }
        return "\(scheme)://\(name.inURI):\(port)"
    }
}

extension SimulatorError {
    init(listeningOn host: String, port: UInt16, _ error: UVError) {
        self.init(
            error.name == "EADDRINUSE" ? .addressInUse : .cannotListen,
            TCPListener.sentence(error, host: host, port: port, server: "the simulator"))
    }
}
