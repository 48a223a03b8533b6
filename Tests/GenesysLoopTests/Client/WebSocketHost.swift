import Testing

@testable import GenesysLoop

/// A delegate that records its events and may act on them.
final class WebSocketHost: WebSocketClientDelegate {
    enum Event: Equatable {
        case opened
        case text(String)
        case binary([UInt8])
        case pong([UInt8])
        case writable
        case closed(CloseCode, String)
        case failed(FailureReason)

        var isTerminal: Bool {
            switch self {
            case .closed, .failed: true
            default: false
            }
        }
    }

    private(set) var events: [Event] = []
    private(set) var failure: WebSocketFailure?
    /// Called with every event, after it was recorded.
    var onEvent: (Event, WebSocketClient) -> Void = { _, _ in }
    /// Called with every message while it is borrowed.
    var onMessage: (MessageKind, Span<UInt8>, WebSocketClient) -> Void = { _, _, _ in }

    private func note(_ event: Event, _ client: WebSocketClient) {
        #expect(events.last?.isTerminal != true, "\(event) came after the end")
        events.append(event)
        onEvent(event, client)
    }

    func webSocketDidOpen(_ client: WebSocketClient) { note(.opened, client) }

    func webSocket(_ client: WebSocketClient, didReceiveText text: Span<UInt8>) {
        onMessage(.text, text, client)
        note(.text(String(decoding: text.byteArray(), as: UTF8.self)), client)
    }

    func webSocket(_ client: WebSocketClient, didReceiveBinary bytes: Span<UInt8>) {
        onMessage(.binary, bytes, client)
        note(.binary(bytes.byteArray()), client)
    }

    func webSocket(_ client: WebSocketClient, didReceivePong payload: Span<UInt8>) {
        note(.pong(payload.byteArray()), client)
    }

    func webSocketDidBecomeWritable(_ client: WebSocketClient) { note(.writable, client) }

    func webSocket(_ client: WebSocketClient, didClose code: CloseCode, reason: String) {
        note(.closed(code, reason), client)
    }

    func webSocket(_ client: WebSocketClient, didFail failure: WebSocketFailure) {
        self.failure = failure
        note(.failed(failure.reason), client)
    }

    /// Opens a client to the server and runs the loop until its terminal call and the end of the server.
    func run(
        _ server: EchoServer, uri: String? = nil, configure: (inout WebSocketClientConfiguration) -> Void = { _ in }
    ) throws {
        let previous = onEvent
        onEvent = { event, client in
            previous(event, client)
            if event.isTerminal { server.end() }
        }
        try client(server, uri: uri, configure: configure).open()
        server.run()
        onEvent = { _, _ in }
        onMessage = { _, _, _ in }
    }

    /// A client that trusts the server and is not open.
    func client(
        _ server: EchoServer, uri: String? = nil, configure: (inout WebSocketClientConfiguration) -> Void = { _ in }
    ) throws -> WebSocketClient {
        var configuration = WebSocketClientConfiguration()
        configuration.tls = try EchoServer.trust()
        configure(&configuration)
        return try WebSocketClient(
            uri: uri ?? server.uri, on: server.loop, delegate: self, configuration: configuration)
    }
}
