import GenesysLoop
import Testing

/// One connection to a peer, through the public interface only: a delegate that records its events.
final class Conversation: WebSocketClientDelegate {
    enum Event: Equatable {
        case opened
        case text(String)
        case binary([UInt8])
        case pong([UInt8])
        case closed(CloseCode, String)
        case failed(FailureReason)
    }

    private(set) var events: [Event] = []
    private let answer: (Event, WebSocketClient) throws -> Void

    private init(answer: @escaping (Event, WebSocketClient) throws -> Void) {
        self.answer = answer
    }

    /// Opens a connection, answers every event, and returns them all at its end.
    static func hold(
        with peer: EchoPeer, path: String, configuration: WebSocketClientConfiguration = .init(),
        answer: @escaping (Event, WebSocketClient) throws -> Void
    ) throws -> [Event] {
        let loop = try UVLoop()
        let conversation = Conversation(answer: answer)
        var configuration = configuration
        if let file = peer.caFile { configuration.tls = TLSConfiguration(trust: .file(file)) }
        let client = try WebSocketClient(
            uri: peer.uri + path, on: loop, delegate: conversation, configuration: configuration)
        client.open()
        loop.run()
        return conversation.events
    }

    private func note(_ event: Event, _ client: WebSocketClient) {
        events.append(event)
        #expect(throws: Never.self) { try answer(event, client) }
    }

    func webSocketDidOpen(_ client: WebSocketClient) { note(.opened, client) }

    func webSocket(_ client: WebSocketClient, didReceiveText text: Span<UInt8>) {
        note(.text(String(decoding: Conversation.array(text), as: UTF8.self)), client)
    }

    func webSocket(_ client: WebSocketClient, didReceiveBinary bytes: Span<UInt8>) {
        note(.binary(Conversation.array(bytes)), client)
    }

    func webSocket(_ client: WebSocketClient, didReceivePong payload: Span<UInt8>) {
        note(.pong(Conversation.array(payload)), client)
    }

    func webSocket(_ client: WebSocketClient, didClose code: CloseCode, reason: String) {
        note(.closed(code, reason), client)
    }

    func webSocket(_ client: WebSocketClient, didFail failure: WebSocketFailure) {
        note(.failed(failure.reason), client)
    }

    private static func array(_ bytes: Span<UInt8>) -> [UInt8] {
        // Copied while the span is valid.
        unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }
}
