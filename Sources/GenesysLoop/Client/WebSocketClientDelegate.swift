/// What a WebSocket client tells its host.
///
/// - Thread: every call comes on the thread of the client's loop, never from within a call of the host.
/// - Order: `webSocketDidOpen` comes first, once. `didClose` and `didFail` are terminal: exactly one of them comes, once
///   and last, when the client's last handle is closed. After `close()` returned only `didClose` follows.
/// - Re-entrancy: every public call of `WebSocketClient` is legal inside every method, also dropping the last reference,
///   setting `delegate` to nil and opening other clients. Running the loop is not.
/// - Borrowing: a payload lies in the receive buffer and is valid until the method returns; storing it does not
///   compile.
/// - Retention: the client holds its delegate weakly. A delegate that is gone when something is to be delivered closes
///   the client.
public protocol WebSocketClientDelegate: AnyObject {
    /// A text message arrived: valid UTF-8, in one piece, however many frames it came in.
    ///
    ///     let string = try String(copying: UTF8Span(validating: text))
    func webSocket(_ client: WebSocketClient, didReceiveText text: Span<UInt8>)

    /// A binary message arrived, in one piece, however many frames it came in.
    func webSocket(_ client: WebSocketClient, didReceiveBinary bytes: Span<UInt8>)

    /// The connection is closed: both sides said goodbye, or the host wanted it closed. Terminal.
    ///
    /// - Parameters:
    ///   - client: the client, of which nothing more is heard.
    ///   - code: that of the peer's Close frame; `.noStatusReceived` if it had none, `.abnormalClosure` if no such frame
    ///     came after the host's `close()` (RFC 6455 §7.1.5).
    ///   - reason: the text of the peer's Close frame. It is the peer's: fit for a log, not for a decision.
    func webSocket(_ client: WebSocketClient, didClose code: CloseCode, reason: String)

    /// The connection could not be opened, or ended without a Close frame, or the peer broke a rule. Terminal.
    func webSocket(_ client: WebSocketClient, didFail failure: WebSocketFailure)

    /// The connection is open. `client.subprotocol` is the subprotocol that the server chose.
    func webSocketDidOpen(_ client: WebSocketClient)

    /// A Pong frame arrived, in answer to a `ping` or by itself (RFC 6455 §5.5.3).
    func webSocket(_ client: WebSocketClient, didReceivePong payload: Span<UInt8>)

    /// After a `.wouldBlock`: there is room to send again.
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

/// Stands in for a delegate that is gone: what would be delivered closes the client.
final class AbsentSocketDelegate: WebSocketClientDelegate {
    func webSocket(_ client: WebSocketClient, didReceiveText text: Span<UInt8>) { client.closeWithoutDelegate() }
    func webSocket(_ client: WebSocketClient, didReceiveBinary bytes: Span<UInt8>) { client.closeWithoutDelegate() }
    func webSocket(_ client: WebSocketClient, didReceivePong payload: Span<UInt8>) { client.closeWithoutDelegate() }
    func webSocket(_ client: WebSocketClient, didClose code: CloseCode, reason: String) {}
    func webSocket(_ client: WebSocketClient, didFail failure: WebSocketFailure) {}
}
