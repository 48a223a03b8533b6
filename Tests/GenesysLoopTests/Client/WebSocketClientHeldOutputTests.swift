internal import COpenSSL
import Testing

@testable import GenesysLoop
@testable import ServerKit

/// Output that TLS encrypts later or never: the completion reports what happened to it.
@Suite(.timeLimit(.minutes(patience(2)))) struct WebSocketClientHeldOutputTests {
    private typealias Ledger = WebSocketClientCompletionTests.Ledger

    /// Runs a client against the server until both have ended.
    private func run(
        _ host: WebSocketHost, _ server: ScriptedServer,
        configure: (inout WebSocketClientConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = WebSocketClientConfiguration()
        configuration.tls = try ScriptedServer.trust()
        configure(&configuration)
        let client = try WebSocketClient(
            uri: server.uri(), on: server.loop, delegate: host, configuration: configuration)
        let previous = host.onEvent
        host.onEvent = { event, client in
            previous(event, client)
            if event.isTerminal { server.clientDidFinish() }
        }
        client.open()
        server.run()
        host.onEvent = { _, _ in }
    }

    @Test func `what was sent before a fault of TLS, and got into no record, is told to have failed`() throws {
        // It decrypts to nothing, and arrives with the message that is answered.
        let garbage: [UInt8] = [23, 3, 3, 0, 32] + [UInt8](repeating: 0, count: 32)
        let server = try ScriptedServer(
            UVLoop(), tls: true, Step.upgrade + [.text("a"), .bare(garbage), .clientEnd])
        let host = WebSocketHost()
        let ledger = Ledger()
        host.onEvent = { event, client in
            if event == .text("a") { #expect((try? ledger.send([1], through: client)) == .sent) }
        }
        try run(host, server)
        #expect(host.events.count == 3 && host.failure != nil, "\(host.events)")
        #expect(ledger.takenCount == 1 && ledger.isComplete)
        #expect(ledger.failed == [0])
        #expect(try server.first.messages.isEmpty)
    }

    /// A TLS 1.3 ticket in records of 512 bytes; with the client's certificate in it, it needs more than one.
    private func makeTicket(_ session: TLSSession) -> [UInt8] {
        #expect(unsafe SSL_ctrl(session.ssl, SSL_CTRL_SET_MAX_SEND_FRAGMENT, 512, nil) == 1)
        #expect(unsafe SSL_new_session_ticket(session.ssl) == 1)
        #expect(unsafe SSL_do_handshake(session.ssl) == 1)
        return session.takeOutgoing()
    }

    @Test func `what waits for the second half of a ticket counts as queued, and is told when it is sent`() throws {
        let people = try CertificateAuthority(commonName: "People")
        var request = CertificateRequest(commonName: "me", names: [])
        request.purpose = .client
        let me = try people.issue(request)
        let host = WebSocketHost()
        let ledger = Ledger()
        let loop = try UVLoop()
        var client: WebSocketClient?
        // The server's socket, and the second half of the ticket.
        var rest: (tcp: TCPConnection, bytes: [UInt8])?
        func sendWhenHalfIsRead() {
            guard let client, let session = client.link?.tls else { return }
            guard unsafe SSL_in_init(session.ssl) == 1 else { return loop.afterTurns(1, sendWhenHalfIsRead) }
            #expect((try? ledger.send([UInt8](repeating: 1, count: 100), through: client)) == .sent)
            loop.afterTurns(3, completeTicket)
        }
        func completeTicket() {
            #expect(ledger.sent == [0], "the other one is in no record")
            #expect((client?.queuedByteCount ?? 0) > 100)
            if let client { #expect((try? ledger.send([1], through: client)) == .wouldBlock) }
            if let rest { rest.tcp.write(rest.bytes) }
        }
        var makeHalf: () -> Void = {}
        let server = try ScriptedServer(
            loop, tls: true, clientTrust: people.certificatePEM,
            Step.upgrade + [.text("a"), .message, .act { makeHalf() }, .message] + Step.goodbye)
        makeHalf = { [unowned server] in
            guard let connection = server.connections.first, let session = connection.tls else { return }
            let ticket = makeTicket(session)
            let length = 5 + Int(ticket[3]) << 8 + Int(ticket[4])
            #expect(ticket.count > length, "a ticket in one record holds nothing up")
            connection.tcp.write(Array(ticket[..<length]))
            rest = (connection.tcp, Array(ticket[length...]))
            sendWhenHalfIsRead()
        }
        host.onEvent = { event, socket in
            switch event {
            case .text:
                client = socket
                _ = try? ledger.send([0], through: socket)
            case .writable: socket.close()
            default: break
            }
        }
        try run(host, server) {
            $0.tls.identity = ClientIdentity(certificate: .pem(me.chainPEM), key: .pem(me.keyPEM))
            $0.sendHighWaterMark = 100
            $0.sendLowWaterMark = 10
        }
        #expect(host.events == [.opened, .text("a"), .writable, .closed(.normal, "")])
        #expect(ledger.sent == [0, 1] && ledger.failed.isEmpty)
        #expect(try server.first.messages.map(\.count) == [1, 100])
        client = nil
        rest = nil
        makeHalf = {}
    }
}
