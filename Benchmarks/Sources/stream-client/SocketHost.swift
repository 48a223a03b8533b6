import GenesysLoop

/// The delegate of a bare WebSocket: counts text messages, and sends them back with `--echo`.
final class SocketHost: WebSocketClientDelegate {
    private let isEchoing: Bool
    private(set) var tally = Tally()
    private(set) var ending: StreamClient.Ending?

    init(isEchoing: Bool) {
        self.isEchoing = isEchoing
    }

    func webSocketDidOpen(_ client: WebSocketClient) {
        send(Subscription.command.utf8.span, client)
    }

    func webSocket(_ client: WebSocketClient, didReceiveText text: Span<UInt8>) {
        tally.count(text)
        if isEchoing, tally.messageCount > 1 { send(text, client) }
    }

    func webSocket(_ client: WebSocketClient, didReceiveBinary bytes: Span<UInt8>) {}

    func webSocket(_ client: WebSocketClient, didClose code: CloseCode, reason: String) {
        ending = ending ?? .closedByServer
    }

    func webSocket(_ client: WebSocketClient, didFail failure: WebSocketFailure) {
        ending = failure.reason == .connectionClosed ? .closedByServer : .failed(failure.description)
    }

    private func send(_ text: Span<UInt8>, _ client: WebSocketClient) {
        do {
            // A server that waits for each message to come back cannot make more than one queue up here.
            guard try client.send(text: text) == .wouldBlock else { return }
            ending = .failed("The server does not read what is sent back to it.")
            client.close()
        } catch {
            // The connection is closing; the delegate gets the reason.
        }
    }
}
