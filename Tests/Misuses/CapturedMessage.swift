import GenesysLoop

/// A closure must not keep a message of a `WebSocketClient`.
final class CapturedMessage: WebSocketClientDelegate {
    var later: () -> Int = { 0 }

    func webSocket(_ client: WebSocketClient, didReceiveText text: Span<UInt8>) {  // error: escapes its scope
        later = { text.count }
    }

    func webSocket(_ client: WebSocketClient, didReceiveBinary bytes: Span<UInt8>) {}
    func webSocket(_ client: WebSocketClient, didClose code: CloseCode, reason: String) {}
    func webSocket(_ client: WebSocketClient, didFail failure: WebSocketFailure) {}
}
