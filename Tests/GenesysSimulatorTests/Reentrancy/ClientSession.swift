import GenesysLoop
import GenesysSimulator
import Testing

/// One round of a cell: a WebSocket client whose host does one thing inside one delegate method.
final class ClientSession: WebSocketClientDelegate {
    private let stage: MatrixStage
    private let moment: ClientMoment
    private let deed: Deed
    private let id: String
    private let patience: Int
    private(set) var log = MomentLog<ClientMoment>()
    private var other: ClientSession?
    /// Retained until the action; after it only the loop retains it.
    private var client: WebSocketClient?
    private weak var remembered: WebSocketClient?

    /// - Parameter patience: turns of the loop from the action to the end.
    init(_ stage: MatrixStage, _ moment: ClientMoment, _ deed: Deed, patience: Int) throws {
        self.stage = stage
        self.moment = moment
        self.deed = deed
        self.patience = patience
        let (uri, id) = try stage.server.createChannel()
        self.id = id
        var configuration = WebSocketClientConfiguration()
        configuration.tls = stage.trust
        configuration.sendHighWaterMark = 1
        configuration.sendLowWaterMark = 0
        let client = try WebSocketClient(uri: uri, on: stage.loop, delegate: self, configuration: configuration)
        self.client = client
        remembered = client
        stage.sessionDidBegin()
        client.open()
        watch()
    }

    func check() {
        log.check(deed, at: moment)
        #expect(remembered == nil)
        if deed == .openAnother { other?.checkEnd() }
    }

    private func checkEnd() {
        #expect(log.terminalCount == 1 && log.moments.last?.isTerminal == true, "\(log.moments)")
        #expect(remembered == nil)
    }

    /// Ends the session when the client is deallocated, even if its delegate was not called.
    private func watch() {
        if log.hasEnded { client = nil }
        guard remembered != nil else { return stage.sessionDidEnd() }
        stage.afterTurns(1) { self.watch() }
    }

    // MARK: - Callbacks

    private func heard(_ now: ClientMoment, _ sender: WebSocketClient) {
        log.note(now)
        if log.countAtDeed == nil {
            if now == moment {
                log.noteDeed()
                do { try act(sender) } catch { Issue.record("\(error)") }
                settle()
            } else if now == .didOpen {
                do { try bringAbout(sender) } catch { Issue.record("\(error)") }
            }
        }
    }

    /// Makes the moment happen.
    private func bringAbout(_ client: WebSocketClient) throws {
        let target = SimulatedService.Target.channel(id)
        switch moment {
        case .didOpen: break
        case .didReceiveText: stage.server.inject(Array("text".utf8), into: target)
        case .didReceiveBinary: stage.server.inject([1, 2, 3], asBinary: true, into: target)
        case .didReceivePong: try client.ping([1])
        case .didBecomeWritable:
            #expect(try client.send(text: "one") == .sent)
            #expect(try client.send(text: "two") == .wouldBlock)
        case .didClose: stage.server.disconnect(target, .close(code: 1000))
        case .didFail: stage.server.disconnect(target, .drop)
        }
    }

    private func act(_ client: WebSocketClient) throws {
        switch deed {
        case .close: client.close()
        case .send:
            if client.isOpen { _ = try client.send(text: "text") }
        case .ping:
            if client.isOpen { try client.ping() }
        case .pause: client.pause()
        case .resume: client.resume()
        case .forgetDelegate: client.delegate = nil
        case .dropLastReference: self.client = nil
        case .openAnother: other = try ClientSession(stage, .didReceivePong, .close, patience: 0)
        case .stopLoop: stage.stopLoop()
        case .useLoop: stage.useLoop {}
        case .rollover, .subscribe, .unsubscribe, .setTopics: Issue.record("a client has no topics")
        }
    }

    /// After the action the session continues for a while; then everything ends.
    private func settle() {
        guard !moment.isTerminal else { return client = nil }
        // A client without a delegate ends by itself at the next delivery.
        if deed == .forgetDelegate {
            client = nil
            return stage.server.inject([0x61], into: .channel(id))
        }
        stage.afterTurns(patience) {
            self.remembered?.close()
            self.client = nil
        }
    }

    func webSocketDidOpen(_ client: WebSocketClient) { heard(.didOpen, client) }
    func webSocket(_ client: WebSocketClient, didReceiveText text: Span<UInt8>) { heard(.didReceiveText, client) }
    func webSocket(_ client: WebSocketClient, didReceiveBinary bytes: Span<UInt8>) { heard(.didReceiveBinary, client) }
    func webSocket(_ client: WebSocketClient, didReceivePong payload: Span<UInt8>) { heard(.didReceivePong, client) }
    func webSocketDidBecomeWritable(_ client: WebSocketClient) { heard(.didBecomeWritable, client) }
    func webSocket(_ client: WebSocketClient, didClose code: CloseCode, reason: String) { heard(.didClose, client) }
    func webSocket(_ client: WebSocketClient, didFail failure: WebSocketFailure) { heard(.didFail, client) }
}
