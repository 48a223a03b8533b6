/// The events that a WebSocket client reports to its host.
///
/// - Thread: every call comes on the thread of the client's loop, never from within a call of the host.
/// - Order: `webSocketDidOpen` comes first, once. `didClose` and `didFail` are terminal: exactly one of them comes,
///   once and last, when the client's last handle is closed. After `close()` returned only `didClose` follows.
/// - Re-entrancy: every public call of `WebSocketClient` is legal inside every method, as are dropping the last
///   reference, setting `delegate` to nil and opening other clients. Running the loop is not.
/// - Borrowing: a payload is in the receive buffer and valid until the method returns; storing it does not compile.
/// - Retention: the client holds its delegate weakly. If the delegate was deallocated, the next delivery closes the
///   client.
public protocol WebSocketClientDelegate: AnyObject {
    /// A text message arrived: valid UTF-8, reassembled from its frames.
    ///
    ///     let string = try String(copying: UTF8Span(validating: text))
    func webSocket(_ client: WebSocketClient, didReceiveText text: Span<UInt8>)

    /// A binary message arrived, reassembled from its frames.
    func webSocket(_ client: WebSocketClient, didReceiveBinary bytes: Span<UInt8>)

    /// The connection is closed: both sides sent a Close frame, or the host closed it. Terminal.
    ///
    /// - Parameters:
    ///   - client: the client; no further call follows.
    ///   - code: that of the peer's Close frame; `.noStatusReceived` if it had none, `.abnormalClosure` if no such
    ///     frame came after the host's `close()` (RFC 6455 §7.1.5).
    ///   - reason: the text of the peer's Close frame. The peer controls it: use it for a log, not for a decision.
    func webSocket(_ client: WebSocketClient, didClose code: CloseCode, reason: String)

    /// The connection could not be opened, ended without a Close frame, or the peer broke a rule. Terminal.
    func webSocket(_ client: WebSocketClient, didFail failure: WebSocketFailure)

    /// The connection is open. `client.subprotocol` is the subprotocol that the server chose.
    func webSocketDidOpen(_ client: WebSocketClient)

    /// A Pong frame arrived, in answer to a `ping` or by itself (RFC 6455 §5.5.3).
    func webSocket(_ client: WebSocketClient, didReceivePong payload: Span<UInt8>)

    /// There is room to send again after a `.wouldBlock`.
    func webSocketDidBecomeWritable(_ client: WebSocketClient)
}

extension WebSocketClientDelegate {
    /// Does nothing.
    public func webSocketDidOpen(_ client: WebSocketClient) {}
    /// Does nothing.
    public func webSocket(_ client: WebSocketClient, didReceivePong payload: Span<UInt8>) {}
    /// Does nothing.
    public func webSocketDidBecomeWritable(_ client: WebSocketClient) {}
}

/// Takes the place of a deallocated delegate: a delivery closes the client.
final class AbsentSocketDelegate: WebSocketClientDelegate {
    func webSocket(_ client: WebSocketClient, didReceiveText text: Span<UInt8>) { client.closeWithoutDelegate() }
    func webSocket(_ client: WebSocketClient, didReceiveBinary bytes: Span<UInt8>) { client.closeWithoutDelegate() }
    func webSocket(_ client: WebSocketClient, didReceivePong payload: Span<UInt8>) { client.closeWithoutDelegate() }
    func webSocket(_ client: WebSocketClient, didClose code: CloseCode, reason: String) {}
    func webSocket(_ client: WebSocketClient, didFail failure: WebSocketFailure) {}
}
