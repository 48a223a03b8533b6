import GenesysLoop

/// The delegate: sends back what it receives, as fast as the peer reads.
///
/// If the client takes nothing more, the host keeps one message and pauses reading.
final class EchoClientHost: WebSocketClientDelegate {
    private enum Message {
        case text([UInt8])
        case binary([UInt8])
    }

    private enum Ending {
        case closed(CloseCode)
        case failed(WebSocketFailure)
    }

    private var kept: Message?
    private var ending: Ending?

    /// Reports an end that is not clean, and returns the status.
    func end() -> ExitStatus {
        switch ending {
        case .closed(let code) where code == .abnormalClosure:
            .failed(.unavailable, "The WebSocket was interrupted before the closing handshake was completed.")
        case .closed:
            .success
        case .failed(let failure):
            .failed(ExitStatus(failure.reason), failure)
        case nil:
            .failed(.unavailable, "The event loop ended before the WebSocket did.")
        }
    }

    func webSocket(_ client: WebSocketClient, didReceiveText text: Span<UInt8>) {
        if (try? client.send(text: text)) == .wouldBlock { keep(.text(copy(text)), client) }
    }

    func webSocket(_ client: WebSocketClient, didReceiveBinary bytes: Span<UInt8>) {
        if (try? client.send(binary: bytes)) == .wouldBlock { keep(.binary(copy(bytes)), client) }
    }

    func webSocketDidBecomeWritable(_ client: WebSocketClient) {
        let result: WebSocketClient.SendResult?
        switch kept {
        case .text(let bytes): result = try? client.send(text: bytes.span)
        case .binary(let bytes): result = try? client.send(binary: bytes.span)
        case nil: return
        }
        guard result != .wouldBlock else { return }
        kept = nil
        client.resume()
    }

    func webSocket(_ client: WebSocketClient, didClose code: CloseCode, reason: String) {
        ending = .closed(code)
    }

    func webSocket(_ client: WebSocketClient, didFail failure: WebSocketFailure) {
        ending = .failed(failure)
    }

    private func keep(_ message: Message, _ client: WebSocketClient) {
        kept = message
        client.pause()
    }

    private func copy(_ bytes: Span<UInt8>) -> [UInt8] {
        // The span's memory is valid during the closure.
        unsafe bytes.withUnsafeBufferPointer { unsafe [UInt8]($0) }
    }
}
