internal import COpenSSL
import Testing

@testable import GenesysLoop
@testable import ServerKit

@Suite struct TLSFailureTests {
    @Test(
        arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "220 mail ready\r\n"], [Int.max, 1])
    func `bytes of another protocol are told from TLS`(text: String, chunk: Int) throws {
        let pair = try TLSPair()
        _ = try pair.client.handshake()
        let error = #expect(throws: TLSError.self) {
            try pair.deliver(Array(text.utf8), to: pair.client, chunk: chunk)
        }
        #expect(error?.fault == .notTLS)
        #expect(error?.description == "The peer does not speak TLS on this port: its first bytes are no TLS record.")
    }

    @Test func `a plain HTTP request at a TLS server is told from TLS`() throws {
        let pair = try TLSPair()
        let error = #expect(throws: TLSError.self) {
            try pair.deliver(Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8), to: pair.server)
        }
        #expect(error?.fault == .notTLS)
    }

    @Test(arguments: [
        (40, "handshake failure"), (70, "protocol version"), (80, "internal error"), (116, "certificate required"),
    ])
    func `a fatal alert instead of an answer is reported with its number`(number: Int, name: String) throws {
        let pair = try TLSPair()
        _ = try pair.client.handshake()
        let error = try #require(
            #expect(throws: TLSError.self) {
                try pair.deliver([21, 3, 3, 0, 2, 2, UInt8(number)], to: pair.client)
            })
        #expect(error.fault == .alertReceived(number, name))
        #expect(error.isClientCertificateRefused == (number == 116))
        #expect(error.description.contains("(\(number))"))
    }

    @Test func `close_notify instead of an answer is no completed handshake`() throws {
        let pair = try TLSPair()
        _ = try pair.client.handshake()
        let error = #expect(throws: TLSError.self) { try pair.deliver([21, 3, 3, 0, 2, 1, 0], to: pair.client) }
        #expect(error?.fault == .alertReceived(0, "close notify"))
    }

    @Test(arguments: tlsVersions)
    func `a corrupted record is a protocol fault, and stays one`(version: Int) throws {
        let pair = try TLSPair(maximumVersion: version)
        try pair.run()
        try pair.server.write(tlsPattern(100))
        var record = pair.server.takeOutgoing()
        record[50] ^= 1
        let error = try #require(
            #expect(throws: TLSError.self) { try pair.deliver(record, to: pair.client) })
        #expect(error.fault == .protocol)
        #expect(error.text.contains("bad record mac"))
        #expect(throws: error) { _ = try pair.readOnce(pair.client) }
        #expect(throws: error) { try pair.client.write([1]) }
        #expect(throws: error) { _ = try pair.client.handshake() }
        pair.client.sendCloseNotify()
        pair.client.releaseBuffers()

        let alert = pair.client.takeOutgoing()
        #expect(!alert.isEmpty)
        let answer = #expect(throws: TLSError.self) { try pair.deliver(alert, to: pair.server) }
        #expect(answer?.fault == .alertReceived(20, "bad record mac"))
        #expect(pair.server.endOfInput() == .truncated)
    }

    @Test(arguments: [UInt8(20), 21, 22, 23, 255], [UInt8(0), 1, 23])
    func `a record too short for its cipher is a protocol fault of the peer`(type: UInt8, count: UInt8) throws {
        let record = [type, 3, 3, 0, count] + [UInt8](repeating: 255, count: Int(count))
        for isServer in [false, true] {
            let pair = try TLSPair(maximumVersion: 0x0303)
            try pair.run()
            let session = isServer ? pair.server : pair.client
            let error = #expect(throws: TLSError.self) { try pair.deliver(record, to: session) }
            #expect(error?.fault == .protocol)
            #expect(error?.operation == "SSL_read_ex")
            #expect(
                error?.description == "The peer broke the TLS protocol: OpenSSL cannot process what it sent "
                    + "(internal error).")
        }
    }

    @Test func `a Finished too short for its cipher is a protocol fault of the peer`() throws {
        let pair = try TLSPair(maximumVersion: 0x0303)
        _ = try pair.client.handshake()
        try pair.deliver(pair.client.takeOutgoing(), to: pair.server)
        try pair.deliver(pair.server.takeOutgoing(), to: pair.client)
        // ClientKeyExchange, ChangeCipherSpec, and a Finished of 40 bytes (GCM), of which four remain.
        let flight = Array(pair.client.takeOutgoing().dropLast(45)) + [22, 3, 3, 0, 4, 0, 0, 0, 0]
        let error = #expect(throws: TLSError.self) { try pair.deliver(flight, to: pair.server) }
        #expect(error?.fault == .protocol)
        #expect(error?.operation == "SSL_do_handshake")
    }

    @Test func `bytes that are no record after the handshake are a protocol fault`() throws {
        let pair = try TLSPair()
        try pair.run()
        let error = #expect(throws: TLSError.self) { try pair.deliver(Array("garbage".utf8), to: pair.client) }
        #expect(error?.fault == .protocol)
    }

    @Test(arguments: [[0x03, 0x01], [0x03, 0x02]] as [[UInt8]])
    func `a server that chooses an old version is refused`(version: [UInt8]) throws {
        let pair = try TLSPair()
        _ = try pair.client.handshake()
        let error = #expect(throws: TLSError.self) {
            try pair.deliver(serverHello(version: version, cipher: [0xC0, 0x13]), to: pair.client)
        }
        #expect(error?.fault == .version)
        #expect(pair.client.outgoing.suffix(2) == [2, 70])
    }

    @Test func `a server that chooses a cipher nobody offered is refused`() throws {
        let pair = try TLSPair()
        _ = try pair.client.handshake()
        let error = #expect(throws: TLSError.self) {
            try pair.deliver(serverHello(version: [3, 3], cipher: [0x00, 0x05]), to: pair.client)
        }
        #expect(error?.fault == .cipher)
    }

    @Test func `sides without a common version tell each other`() throws {
        let authority = try CertificateAuthority()
        let pair = try TLSPair(
            identity: authority.issue(), trust: authority.certificatePEM, options: .init(maximumVersion: 0x0303),
            minimumVersion: .tls13)
        #expect(pair.clientError()?.fault == .alertReceived(70, "protocol version"))
        let error = #expect(throws: TLSError.self) { _ = try pair.server.handshake() }
        #expect(error?.fault == .version)
    }

    @Test func `a server that knows TLS 1.1 only is refused`() throws {
        let authority = try CertificateAuthority()
        let pair = try TLSPair(
            identity: authority.issue(), trust: authority.certificatePEM,
            options: .init(securityLevel: 0, maximumVersion: 0x0302))
        #expect(pair.clientError()?.fault == .alertReceived(70, "protocol version"))
    }

    @Test(arguments: tlsVersions)
    func `what others leave in the error queue disturbs no session`(version: Int) throws {
        let pair = try TLSPair(maximumVersion: version)
        pair.interference = leaveJunk
        leaveJunk()
        try pair.run(chunk: 10)
        leaveJunk()
        try pair.client.write(tlsPattern(50_000))
        leaveJunk()
        try pair.server.write(tlsPattern(50_000))
        try pair.run(chunk: 100)
        leaveJunk()
        #expect(try pair.readOnce(pair.client) == .needMore)
        #expect(pair.clientReceived == tlsPattern(50_000) && pair.serverReceived == tlsPattern(50_000))
        leaveJunk()
        pair.client.sendCloseNotify()
        try pair.run()
        leaveJunk()
        #expect(try pair.readOnce(pair.server) == .closeNotify)
        ERR_clear_error()
    }

    @Test func `the failure of one session leaves nothing behind for another`() throws {
        let good = try TLSPair()
        try good.run()
        let bad = try TLSPair()
        try bad.run()
        try bad.server.write([1])
        var record = bad.server.takeOutgoing()
        record[10] ^= 1
        #expect(throws: TLSError.self) { try bad.deliver(record, to: bad.client) }
        #expect(ERR_peek_error() == 0)
        #expect(try good.readOnce(good.client) == .needMore)
    }

    @Test func `a write amid a message about the protocol waits for its rest`() throws {
        let authority = try CertificateAuthority()
        let identity = try authority.issue()
        let serverContext = try TLSContext(server: identity.chainPEM, keyPEM: identity.keyPEM)
        // A session ticket too large for one record.
        unsafe SSL_CTX_set_session_ticket_cb(serverContext.pointer, makeTicketLarge, nil, nil)
        let clientContext = try TLSContext(client: TLSConfiguration(trust: .pem(authority.certificatePEM)))
        let pair = TLSPair(
            client: try TLSSession(context: clientContext, clientFor: "localhost"),
            server: try TLSSession(serverOn: serverContext))
        _ = try pair.client.handshake()
        try pair.deliver(pair.client.takeOutgoing(), to: pair.server)
        try pair.deliver(pair.server.takeOutgoing(), to: pair.client)
        try pair.deliver(pair.client.takeOutgoing(), to: pair.server)
        let tickets = pair.server.takeOutgoing()
        #expect(tickets.count > 40_000)
        try pair.deliver(Array(tickets.prefix(17_000)), to: pair.client)
        try pair.client.write([1, 2, 3])
        try pair.client.write([4])
        #expect(pair.client.outgoing == [])
        try pair.deliver(Array(tickets.dropFirst(17_000)), to: pair.client)
        #expect(!pair.client.outgoing.isEmpty)
        try pair.run()
        #expect(pair.serverReceived == [1, 2, 3, 4])
    }

    /// A ServerHello of TLS 1.2 or older (RFC 5246 §7.4.1.3), in one record.
    private func serverHello(version: [UInt8], cipher: [UInt8]) -> [UInt8] {
        let body = version + [UInt8](repeating: 7, count: 32) + [0] + cipher + [0]
        let message = [2, 0, 0, UInt8(body.count)] + body
        return [22] + version + [0, UInt8(message.count)] + message
    }
}

/// Leaves errors in this thread's queue, as third-party code does.
private func leaveJunk() {
    unsafe BIO_free(BIO_new_file("/nonexistent/file", "r"))
}

private func makeTicketLarge(_ ssl: OpaquePointer?, _ argument: UnsafeMutableRawPointer?) -> Int32 {
    let data = [UInt8](repeating: 1, count: 20_000)
    return unsafe SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), data, data.count)
}
