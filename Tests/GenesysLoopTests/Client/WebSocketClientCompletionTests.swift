import Testing

@testable import GenesysLoop

/// Completions: each is called once, in order, for every end of the connection.
@Suite(.timeLimit(.minutes(patience(2)))) struct WebSocketClientCompletionTests {
    /// Sends numbered messages and records the report for each.
    final class Ledger {
        private(set) var sent: [Int] = []
        private(set) var failed: [Int] = []
        private(set) var reasons: Set<FailureReason> = []
        private(set) var takenCount = 0
        var onSent: () -> Void = {}
        var isInCall = false

        func send(_ bytes: [UInt8], through client: WebSocketClient) throws -> WebSocketClient.SendResult {
            let number = takenCount
            isInCall = true
            defer { isInCall = false }
            let result = try client.send(binary: bytes) { [self] result in
                #expect(!isInCall, "called from within send")
                switch result {
                case .success: sent.append(number)
                case .failure(let failure):
                    failed.append(number)
                    reasons.insert(failure.reason)
                }
                onSent()
            }
            if result == .sent { takenCount += 1 }
            return result
        }

        /// All were reported once, the sent ones first, in order.
        var isComplete: Bool { sent + failed == Array(0..<takenCount) }
    }

    @Test(arguments: [false, true])
    func `everything that a peer reads is told to be sent, in order`(tls: Bool) throws {
        let server = try EchoServer(UVLoop(), tls: tls)
        let host = WebSocketHost()
        let ledger = Ledger()
        server.didReceive = { connection, event in
            if case .close = event { connection.answer(event) }
        }
        host.onEvent = { event, client in
            guard event == .opened else { return }
            for count in [0, 1, 125, 70_000, 3_000_000] {
                let result = try? ledger.send([UInt8](repeating: 7, count: count), through: client)
                #expect(result == .sent)
            }
            ledger.onSent = { if ledger.sent.count == 5 { client.close() } }
        }
        try host.run(server) { $0.sendHighWaterMark = 16 << 20 }
        #expect(ledger.takenCount == 5 && ledger.isComplete && ledger.failed.isEmpty)
        #expect(host.events == [.opened, .closed(.normal, "")])
        ledger.onSent = {}
    }

    @Test func `what was sent before a close is told before the end, after the call of close`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        let ledger = Ledger()
        host.onEvent = { event, client in
            switch event {
            case .opened:
                _ = try? ledger.send([1], through: client)
                client.close()
                #expect(ledger.sent.isEmpty)
            case .closed: #expect(ledger.sent == [0])
            default: break
            }
        }
        try host.run(server)
        #expect(host.events == [.opened, .closed(.normal, "")])
    }

    @Test(arguments: [false, true])
    func `what a peer that resets did not take is told to have failed`(tls: Bool) throws {
        let server = try EchoServer(UVLoop(), tls: tls)
        let host = WebSocketHost()
        let ledger = Ledger()
        server.didOpen = { $0.tcp.stopReading() }
        host.onEvent = { event, client in
            switch event {
            case .opened:
                while (try? ledger.send([UInt8](repeating: 1, count: 100_000), through: client)) == .sent {}
                server.loop.afterTurns(5) { server.connections.first?.tcp.abort() }
            case .failed: #expect(ledger.isComplete, "the end was told first")
            default: break
            }
        }
        try host.run(server) { $0.sendHighWaterMark = 32 << 20 }
        #expect(ledger.takenCount > 300 && ledger.isComplete)
        #expect(ledger.failed.isEmpty == false)
        #expect(ledger.reasons == [.connectionClosed])
        #expect(host.events.last == .failed(.connectionClosed))
    }

    @Test func `a host that closes in a completion is told of the others all the same`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        let ledger = Ledger()
        host.onEvent = { event, client in
            guard event == .opened else { return }
            for _ in 0..<10 { _ = try? ledger.send([1], through: client) }
            ledger.onSent = { client.close() }
        }
        try host.run(server)
        #expect(ledger.takenCount == 10 && ledger.isComplete && ledger.failed.isEmpty)
        #expect(host.events.last == .closed(.normal, ""))
        ledger.onSent = {}
    }

    @Test func `each completion may send the next message without starving the loop`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        let ledger = Ledger()
        let loop = server.loop
        var turns = 0
        server.didReceive = { connection, event in
            if case .close = event { connection.answer(event) }
        }
        host.onEvent = { event, client in
            guard event == .opened else { return }
            ledger.onSent = {
                #expect(turns >= ledger.sent.count - 1, "two completions of a chain in one turn")
                loop.afterTurns(1) { turns += 1 }
                guard ledger.takenCount < 100 else { return client.close() }
                _ = try? ledger.send([1], through: client)
            }
            _ = try? ledger.send([1], through: client)
        }
        try host.run(server)
        #expect(ledger.takenCount == 100 && ledger.isComplete)
        ledger.onSent = {}
    }

    @Test func `what is not taken is told by the result alone`() throws {
        let server = try EchoServer(UVLoop())
        let host = WebSocketHost()
        var calls = 0
        host.onEvent = { event, client in
            guard event == .opened else { return }
            _ = try? client.send(binary: [UInt8](repeating: 1, count: 100))
            #expect((try? client.send(text: "late") { _ in calls += 1 }) == .wouldBlock)
            client.close()
            #expect(throws: WebSocketUsageError.notOpen) { try client.send(text: "later") { _ in calls += 1 } }
        }
        try host.run(server) { $0.sendHighWaterMark = 1 }
        #expect(calls == 0)
    }
}
