internal import Logging

/// A WebSocket client (RFC 6455) for any `ws:` or `wss:` endpoint.
///
///     let loop = try UVLoop()
///     let client = try WebSocketClient(uri: "wss://…", on: loop, delegate: host)
///     client.open()
///     loop.run()
///
/// It opens one connection, once, and never reconnects. From `open()` to its terminal call the loop retains it, so the
/// host need not. All calls belong on the loop's thread and trap elsewhere; all of them are legal inside every delegate
/// method. Nothing is delivered from within a call: callbacks come from the loop. The client answers the peer's pings
/// itself.
public final class WebSocketClient {
    /// The outcome of a send.
    public enum SendResult: Hashable, Sendable {
        /// It is on its way, or queued.
        case sent
        /// Too much is queued, so the message was not taken. `webSocketDidBecomeWritable` comes when there is room
        /// again.
        case wouldBlock
    }

    /// The largest payload of a ping, in bytes (RFC 6455 §5.5).
    public static let maxPingByteCount = FrameEncoder.maxControlPayloadByteCount
    /// The longest reason of a Close frame, in bytes of UTF-8: two bytes less, for the code (RFC 6455 §5.5.1).
    public static let maxCloseReasonByteCount = FrameEncoder.maxControlPayloadByteCount - 2

    /// The loop that drives the client.
    public let loop: UVLoop
    /// The configuration of the client.
    public let configuration: WebSocketClientConfiguration

    /// The delegate, held weakly.
    ///
    /// Setting it to nil silences the client, and closes it at the next delivery. A delegate that was deallocated has
    /// the same effect, with one warning in the log.
    public var delegate: (any WebSocketClientDelegate)? {
        get {
            loop.preconditionCurrent("WebSocketClient.delegate")
            return weakDelegate
        }
        set {
            loop.preconditionCurrent("WebSocketClient.delegate")
            weakDelegate = newValue
            delegateDidChange(isSet: newValue != nil)
        }
    }

    weak var weakDelegate: (any WebSocketClientDelegate)?
    /// Changes with everything that makes the receive loop check its conditions again: delegate, close, pause.
    var generation = 0

    var machine: WebSocketClientMachine
    var core: DriverCore<WebSocketClientMachine.Action>
    var driver: WebSocketClientDriver

    /// Makes a client.
    ///
    /// It does nothing until `open()`; a client that is never opened causes a warning in the log.
    ///
    /// - Parameters:
    ///   - uri: where to connect, `ws://…` or `wss://…`. It may be a secret and is never logged.
    ///   - loop: drives the client.
    ///   - delegate: receives the events; held weakly. It may be set later, before `open()`.
    ///   - configuration: how the client behaves.
    /// - Throws: `WebSocketFailure` with reason `invalidURI`, `tlsHandshake` (trust or identity that cannot be used) or
    ///   `proxy` (a proxy of the environment that cannot be used); `WebSocketUsageError` for headers, subprotocols or a
    ///   user agent that would break the upgrade request.
    public init(
        uri: String, on loop: UVLoop, delegate: (any WebSocketClientDelegate)? = nil,
        configuration: WebSocketClientConfiguration = WebSocketClientConfiguration()
    ) throws {
        loop.preconditionCurrent("WebSocketClient.init")
        driver = try WebSocketClientDriver(uri: uri, loop: loop, configuration: configuration)
        machine = WebSocketClientMachine(
            highWaterMark: configuration.sendHighWaterMark, lowWaterMark: configuration.sendLowWaterMark)
        self.loop = loop
        self.configuration = configuration
        weakDelegate = delegate
        core = DriverCore(loop: loop, hasDelegate: delegate != nil)
        let (uri, logger) = (driver.uri.redacted, configuration.logger)
        loop.forgotten.made(self) { logger.warning("\(uri) was never opened: call open()") }
    }

    deinit {
        // On another thread only `run()` reports it.
        if loop.isCurrent { loop.forgotten.dropped(self)?() }
    }

    // MARK: - State

    /// Whether messages can be sent: from `webSocketDidOpen` to `close()`, or to the peer's end of the connection.
    public var isOpen: Bool {
        loop.preconditionCurrent("WebSocketClient.isOpen")
        return machine.state == .open
    }

    /// The subprotocol that the server chose from those offered; nil if it chose none, and before the upgrade.
    public var subprotocol: String? {
        loop.preconditionCurrent("WebSocketClient.subprotocol")
        return driver.subprotocol
    }

    /// Whether the server agreed to compress messages (RFC 7692); false before the upgrade.
    public var isCompressed: Bool {
        loop.preconditionCurrent("WebSocketClient.isCompressed")
        return driver.isCompressed
    }

    /// Bytes that were taken for sending and that the kernel has not taken yet.
    public var queuedByteCount: Int {
        loop.preconditionCurrent("WebSocketClient.queuedByteCount")
        return link?.queuedByteCount ?? 0
    }

    // MARK: - Life

    /// Connects. Calling it again does nothing.
    ///
    /// - Precondition: the client was given a delegate. Keep it: the client does not.
    public func open() {
        loop.preconditionCurrent("WebSocketClient.open")
        guard machine.state == .idle else { return }
        core.delegateWatch.preconditionSet("WebSocketClient")
        retainUntilEnd()
        configuration.logger.debug("opening \(driver.uri.redacted)")
        submit(machine.openRequested())
    }

    /// Closes with the code 1000 and without a reason; otherwise as `close(_:reason:)`.
    public func close() {
        loop.preconditionCurrent("WebSocketClient.close")
        closeNow(.normal, reason: "")
    }

    /// Starts the closing handshake, after all messages sent so far, and stops delivery.
    ///
    /// Only `webSocket(_:didClose:reason:)` follows the return of this call: when the peer has answered, or after
    /// `configuration.deadlines.close`, whichever is first. A client that is not open yet is closed at once. Calling it
    /// again does nothing.
    ///
    /// Source: RFC 6455 §7.1.2.
    ///
    /// - Parameters:
    ///   - code: 1000 or from 3000 to 4999.
    ///   - reason: at most 123 bytes of UTF-8.
    /// - Throws: `WebSocketUsageError.invalidCloseCode` or `.closeReasonTooLong`; nothing has changed then.
    public func close(_ code: CloseCode, reason: String = "") throws(WebSocketUsageError) {
        loop.preconditionCurrent("WebSocketClient.close")
        guard code.isSendable else { throw WebSocketUsageError.invalidCloseCode }
        guard reason.utf8.count <= WebSocketClient.maxCloseReasonByteCount else {
            throw WebSocketUsageError.closeReasonTooLong
        }
        closeNow(code, reason: reason)
    }

    func closeNow(_ code: CloseCode, reason: String) {
        if machine.state == .idle { retainUntilEnd() }
        submit(machine.closeRequested(code, reason: reason))
    }

    // MARK: - Reading

    /// Stops reading after the current message: the peer's data waits in the socket, which slows the peer down.
    ///
    /// Pings are not answered and the peer's end is not noticed until `resume()`. It may be called before `open()`.
    /// Regardless of how much the peer sends, the client keeps at most the data of one read, 64 KiB, and a partial
    /// message of at most `configuration.maxMessageSize`.
    public func pause() {
        loop.preconditionCurrent("WebSocketClient.pause")
        machine.pauseRequested()
        readingDidChange()
    }

    /// Reads again after `pause()`.
    public func resume() {
        loop.preconditionCurrent("WebSocketClient.resume")
        machine.resumeRequested()
        readingDidChange()
    }
}

extension WebSocketClient: CustomStringConvertible, CustomReflectable {
    /// The redacted URI.
    public var description: String { "WebSocketClient(\(driver.uri.redacted))" }

    /// A mirror without children: the URI may be a secret.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Messages and pings to the peer.
///
/// A completion is called exactly once for a message that was taken, and never for one that was not: `.success` when
/// the operating system has taken its last byte, which says nothing about the peer; `.failure` when the connection
/// ended before. Completions come in the order of the sends, from the loop, never from within a call, and all before
/// the client's terminal call, also after `close()`. Every public call is legal inside them. What they capture is kept
/// until then.
extension WebSocketClient {
    /// Receives the outcome of a send.
    public typealias SendCompletion = (Result<Void, WebSocketFailure>) -> Void

    /// Sends a text message.
    ///
    /// - Parameters:
    ///   - text: the message.
    ///   - completion: called once if the message was taken; see the extension's notes. Default: none.
    /// - Returns: `.wouldBlock` if the message was not taken because too much is queued.
    /// - Throws: `WebSocketUsageError.notOpen`.
    public func send(text: String, completion: SendCompletion? = nil) throws(WebSocketUsageError) -> SendResult {
        loop.preconditionCurrent("WebSocketClient.send")
        return try send(.text, Array(text.utf8).span, completion)
    }

    /// Sends a text message that is already UTF-8; a received message can be sent back as it is.
    ///
    /// - Parameters:
    ///   - text: the message.
    ///   - completion: called once if the message was taken; see the extension's notes. Default: none.
    /// - Returns: `.wouldBlock` if the message was not taken because too much is queued.
    /// - Throws: `WebSocketUsageError.notOpen`, `.invalidUTF8`.
    public func send(text: Span<UInt8>, completion: SendCompletion? = nil) throws(WebSocketUsageError) -> SendResult {
        loop.preconditionCurrent("WebSocketClient.send")
        guard UTF8Validator.isValid(text, 0..<text.count) else { throw WebSocketUsageError.invalidUTF8 }
        return try send(.text, text, completion)
    }

    /// Sends a binary message.
    ///
    /// - Parameters:
    ///   - binary: the message.
    ///   - completion: called once if the message was taken; see the extension's notes. Default: none.
    /// - Returns: `.wouldBlock` if the message was not taken because too much is queued.
    /// - Throws: `WebSocketUsageError.notOpen`.
    public func send(binary: Span<UInt8>, completion: SendCompletion? = nil) throws(WebSocketUsageError) -> SendResult {
        loop.preconditionCurrent("WebSocketClient.send")
        return try send(.binary, binary, completion)
    }

    /// Sends a binary message.
    ///
    /// - Parameters:
    ///   - binary: the message.
    ///   - completion: called once if the message was taken; see the extension's notes. Default: none.
    /// - Returns: `.wouldBlock` if the message was not taken because too much is queued.
    /// - Throws: `WebSocketUsageError.notOpen`.
    public func send(binary: [UInt8], completion: SendCompletion? = nil) throws(WebSocketUsageError) -> SendResult {
        try send(binary: binary.span, completion: completion)
    }

    /// Sends a ping; `webSocket(_:didReceivePong:)` comes when the peer answers (RFC 6455 §5.5.2).
    ///
    /// - Parameter payload: returned in the pong; at most 125 bytes.
    /// - Returns: `.wouldBlock` if it was not taken because too much is queued.
    /// - Throws: `WebSocketUsageError.notOpen`, `.pingTooLong`.
    @discardableResult
    public func ping(_ payload: [UInt8] = []) throws(WebSocketUsageError) -> SendResult {
        loop.preconditionCurrent("WebSocketClient.ping")
        guard payload.count <= WebSocketClient.maxPingByteCount else { throw WebSocketUsageError.pingTooLong }
        return try send(.ping, payload.span, nil)
    }

    private func send(
        _ opcode: Opcode, _ payload: Span<UInt8>, _ completion: SendCompletion?
    ) throws(WebSocketUsageError) -> SendResult {
        switch machine.sendRequested(queuedByteCount: link?.queuedByteCount ?? 0) {
        case .send:
            // It is only queued here; the next pass sends it.
            link?.send(opcode, payload)
            if let completion {
                link?.sends.append { failure in
                    completion(failure.map { .failure(WebSocketFailure($0)) } ?? .success(()))
                }
            }
            schedule()
            return .sent
        case .wouldBlock:
            return .wouldBlock
        case .notOpen:
            throw .notOpen
        }
    }
}
