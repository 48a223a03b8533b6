package import GenesysLoop
internal import ServerKit

/// A WebSocket server that sends every message back, over TLS or plain, on an event loop of the library.
///
/// The target of conformance suites and benchmarks: its connections are those of the simulator.
///
/// From `start()` to the completion of `close(completion:)` the loop retains the server and keeps running. All calls
/// belong on the loop's thread.
///
/// The server stops reading from a client that does not read: when `highWaterMark` bytes wait for it, input stays in
/// the kernel until no more than `lowWaterMark` are left. So a connection holds at most that, one message, and the echo
/// of one read.
package final class EchoServer {
    /// The limits and options of clients.
    package struct Configuration: Sendable {
        /// The largest message accepted, in bytes; a larger one is answered with 1009.
        package var maxMessageSize = 16 * 1_024 * 1_024
        /// The agreed compression when a client offers permessage-deflate (RFC 7692); nil declines.
        package var compression: Compression?
        /// The protocols that a client may choose from by ALPN; nil ignores ALPN.
        package var applicationProtocols: [String]?
        /// From this many unread bytes of a client on, the server stops reading from it.
        package var highWaterMark = 1_024 * 1_024
        /// At this many unread bytes, the server reads from it again.
        package var lowWaterMark = 256 * 1_024
        /// How long a client may take from the TCP connection to the end of its upgrade request.
        package var requestTimeout: Duration = .seconds(10)
        /// How long a client may take to answer a Close frame.
        package var closeTimeout: Duration = .seconds(2)

        /// The defaults.
        package init() {}
    }

    /// The loop that drives the server.
    package let loop: UVLoop
    /// The URI that it listens on, `ws://127.0.0.1:…/` or `wss://…`; every path is the same.
    package let uri: String
    /// The port it listens on, never 0.
    package let port: UInt16
    /// Why the server can accept no more connections; nil as long as it can.
    package internal(set) var failure: SimulatorError?
    /// Messages sent back since the start.
    package internal(set) var echoCount = 0
    /// TCP connections that are open, whatever their state.
    package var openSocketCount: Int { connections.count }
    /// Bytes that wait for clients to read, of all connections together.
    package var queuedByteCount: Int { connections.all.reduce(0) { $0 + $1.queuedByteCount } }

    let configuration: Configuration
    let context: TLSContext?
    let group: HandleGroup
    let listener: TCPListener
    var connections = ConnectionList()
    var life = ServerLife()

    /// Makes a server that listens, but accepts nothing before `start()`: until then, connections are reset.
    ///
    /// - Parameters:
    ///   - loop: drives the server.
    ///   - port: 0 lets the system choose.
    ///   - certificates: the certificates of its TLS; nil for `ws:`.
    ///   - configuration: the limits and options of clients.
    /// - Throws: `SimulatorError`.
    package init(
        on loop: UVLoop, port: UInt16 = 0, certificates: SimulatorCertificates? = nil,
        configuration: Configuration = Configuration()
    ) throws(SimulatorError) {
        loop.preconditionCurrent("EchoServer.init")
        self.loop = loop
        self.configuration = configuration
        do throws(TLSError) {
            context = try certificates?.serverContext(.init(applicationProtocols: configuration.applicationProtocols))
        } catch {
            throw SimulatorError(.certificates, "The echo server cannot use its certificates: \(error)")
        }
        group = HandleGroup(loop: loop)
        listener = TCPListener(loop: loop, group: group)
        let host = "127.0.0.1"
        do throws(UVError) {
            try listener.bind(host: host, port: port)
        } catch {
            throw SimulatorError(listeningOn: host, port: port, error)
        }
        self.port = listener.localPort
        uri = "\(certificates == nil ? "ws" : "wss")://\(host):\(listener.localPort)/"
        unsafe listener.owner = self
    }

    deinit { listener.close() }

    /// Accepts connections from now on.
    ///
    /// Calling it again, or after `close(completion:)`, does nothing.
    package func start() {
        loop.preconditionCurrent("EchoServer.start")
        guard life.state == .idle else { return }
        life.state = .started
        loop.retain(self)
    }

    /// Closes everything: accepts no more connections, sends a Close frame with 1001 on open ones, and drops those that
    /// are not closed after `closeTimeout`.
    ///
    /// - Parameter completion: called from the loop when the last handle is closed.
    package func close(completion: (() -> Void)? = nil) {
        loop.preconditionCurrent("EchoServer.close")
        guard life.closeRequested(by: self, on: loop, completion: completion) else { return }
        listener.close()
        for connection in connections.all { connection.close(.goingAway, reason: "The server closes") }
        group.whenEmpty(self)
    }

    func endIfDone() {
        guard let completions = life.end(isEmpty: connections.areGone && group.openCount == 0) else { return }
        loop.release(self)
        for completion in completions { completion() }
    }
}
