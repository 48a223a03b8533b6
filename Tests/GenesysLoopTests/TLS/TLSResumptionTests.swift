internal import COpenSSL
import Testing

@testable import GenesysLoop
@testable import ServerKit

/// Sessions resumed by later connections, by OpenSSL's own counters.
@Suite struct TLSResumptionTests {
    /// A client's and a server's context that trust each other.
    private struct Contexts {
        let client: TLSContext
        let server: TLSContext

        init(
            version: Int? = nil, clientTrust: [UInt8]? = nil, leaf: CertificateRequest = CertificateRequest(),
            configure: (inout TLSConfiguration) throws -> Void = { _ in }
        ) throws {
            let authority = try CertificateAuthority()
            let identity = try authority.issue(leaf)
            var configuration = TLSConfiguration(trust: .pem(authority.certificatePEM))
            try configure(&configuration)
            client = try TLSContext(client: configuration)
            server = try TLSContext(
                server: identity.chainPEM, keyPEM: identity.keyPEM,
                options: .init(maximumVersion: version, clientTrust: clientTrust))
        }

        /// A pair that has completed its handshake, and exchanged all tickets.
        func connect(host: String = "localhost", port: UInt16 = 443) throws -> TLSPair {
            let pair = TLSPair(
                client: try TLSSession(context: client, clientFor: host, port: port),
                server: try TLSSession(serverOn: server))
            try pair.run()
            try pair.server.write([1, 2, 3])
            try pair.run()
            #expect(pair.clientReceived == [1, 2, 3])
            #expect(pair.client.summary.isResumed == pair.server.summary.isResumed)
            return pair
        }

        func isResumed(host: String = "localhost", port: UInt16 = 443) throws -> Bool {
            try connect(host: host, port: port).client.summary.isResumed
        }
    }

    @Test(arguments: tlsVersions)
    func `every connection after the first is resumed, as OpenSSL counts`(version: Int) throws {
        let contexts = try Contexts(version: version)
        for index in 0..<5 { #expect(try contexts.isResumed() == (index > 0)) }
        #expect(contexts.client.resumptionCounts == (handshakes: 5, resumed: 4))
    }

    @Test(arguments: tlsVersions)
    func `a resumed connection still has the verified certificate`(version: Int) throws {
        let contexts = try Contexts(version: version)
        _ = try contexts.connect()
        let pair = try contexts.connect()
        #expect(pair.client.summary.isResumed)
        #expect(unsafe SSL_get_verify_result(pair.client.ssl) == Int(X509_V_OK))
        #expect(unsafe SSL_get0_peer_certificate(pair.client.ssl) != nil)
    }

    @Test func `a ticket of TLS 1.3 is used for one connection only`() throws {
        let contexts = try Contexts(version: 0x0304)
        _ = try contexts.connect()
        #expect(contexts.client.sessionCount(host: "localhost", port: 443) == 2)
        var waiting: [TLSSession] = []
        for expected in [1, 0, 0] {
            waiting.append(try TLSSession(context: contexts.client, clientFor: "localhost", port: 443))
            #expect(contexts.client.sessionCount(host: "localhost", port: 443) == expected)
        }
        // Three hellos were sent at once, and two of them had a ticket.
        let resumed = try waiting.map { client in
            let pair = TLSPair(client: client, server: try TLSSession(serverOn: contexts.server))
            try pair.run()
            return client.summary.isResumed
        }
        #expect(resumed == [true, true, false])
    }

    @Test func `a session of TLS 1.2 serves any number of connections`() throws {
        let contexts = try Contexts(version: 0x0303)
        _ = try contexts.connect()
        for _ in 0..<3 {
            #expect(try contexts.isResumed())
            #expect(contexts.client.sessionCount(host: "localhost", port: 443) == 1)
        }
    }

    @Test(arguments: tlsVersions)
    func `a session is good for the host and port it was made with`(version: Int) throws {
        let contexts = try Contexts(version: version)
        _ = try contexts.connect()
        #expect(try !contexts.isResumed(host: "127.0.0.1"))
        #expect(try !contexts.isResumed(port: 8_443))
        #expect(try contexts.isResumed())
    }

    @Test(arguments: tlsVersions)
    func `another configuration has sessions of its own`(version: Int) throws {
        let contexts = try Contexts(version: version)
        _ = try contexts.connect()
        var configuration = try #require(contexts.client.configuration)
        configuration.minimumVersion = .tls12
        configuration.groups = "P-256:X25519"
        let other = try TLSContext(client: configuration)
        let pair = TLSPair(
            client: try TLSSession(context: other, clientFor: "localhost", port: 443),
            server: try TLSSession(serverOn: contexts.server))
        try pair.run()
        #expect(!pair.client.summary.isResumed)
    }

    @Test(arguments: tlsVersions)
    func `reading the trust again drops the sessions, those of open connections too`(version: Int) throws {
        let contexts = try Contexts(version: version)
        let pair = TLSPair(
            client: try TLSSession(context: contexts.client, clientFor: "localhost", port: 443),
            server: try TLSSession(serverOn: contexts.server))
        _ = try pair.client.handshake()
        try pair.deliver(pair.client.takeOutgoing(), to: pair.server)
        try pair.deliver(pair.server.takeOutgoing(), to: pair.client)
        contexts.client.commit(try ClientMaterial(try #require(contexts.client.configuration)))
        // The tickets arrive now, at a connection of the replaced context.
        try pair.run()
        #expect(contexts.client.sessionCount(host: "localhost", port: 443) == 0)
        #expect(try !contexts.isResumed())
        #expect(try contexts.isResumed())
    }

    @Test(arguments: tlsVersions)
    func `a connection that broke without a word leaves its session good`(version: Int) throws {
        let contexts = try Contexts(version: version)
        // Dropped at once, without close_notify, as with a lost network.
        for index in 0..<4 { #expect(try contexts.isResumed() == (index > 0)) }
    }

    @Test func `a fatal error invalidates the session of its connection`() throws {
        let contexts = try Contexts(version: 0x0303)
        let pair = try contexts.connect()
        #expect(throws: TLSError.self) { try pair.deliver([21, 3, 3, 0, 2, 2, 20], to: pair.client) }
        #expect(try !contexts.isResumed())
    }

    @Test(arguments: tlsVersions)
    func `a handshake that fails with a session drops all of that host`(version: Int) throws {
        let contexts = try Contexts(version: version)
        _ = try contexts.connect()
        _ = try contexts.connect(port: 8_443)
        #expect(contexts.client.sessionCount(host: "localhost", port: 443) > 0)
        let client = try TLSSession(context: contexts.client, clientFor: "localhost", port: 443)
        let pair = TLSPair(client: client, server: try TLSSession(serverOn: contexts.server))
        _ = try client.handshake()
        #expect(throws: TLSError.self) { try pair.deliver([21, 3, 3, 0, 2, 2, 80], to: client) }
        #expect(contexts.client.sessionCount(host: "localhost", port: 443) == 0)
        #expect(contexts.client.sessionCount(host: "localhost", port: 8_443) > 0)
        #expect(try !contexts.isResumed())
    }

    @Test(arguments: tlsVersions)
    func `a server that forgot its keys gets a full handshake`(version: Int) throws {
        let contexts = try Contexts(version: version)
        _ = try contexts.connect()
        // As after a restart.
        var keys = [UInt8](repeating: 7, count: 80)
        // Copied by the call.
        let result = unsafe keys.withUnsafeMutableBytes { bytes in
            unsafe SSL_CTX_ctrl(
                contexts.server.pointer, SSL_CTRL_SET_TLSEXT_TICKET_KEYS, bytes.count, bytes.baseAddress)
        }
        try #require(result == 1)
        #expect(try !contexts.isResumed())
        #expect(try contexts.isResumed())
    }

    @Test func `no more than 64 sessions are kept for a host, the newest ones`() throws {
        let contexts = try Contexts(version: 0x0304) { _ in }
        unsafe SSL_CTX_set_num_tickets(contexts.server.pointer, 50)
        _ = try contexts.connect()
        #expect(contexts.client.sessionCount(host: "localhost", port: 443) == 50)
        _ = try contexts.connect(port: 8_443)
        let waiting = try TLSSession(context: contexts.client, clientFor: "localhost", port: 443)
        #expect(contexts.client.sessionCount(host: "localhost", port: 443) == 49)
        let full = TLSPair(client: waiting, server: try TLSSession(serverOn: contexts.server))
        try full.run()
        for _ in 0..<100 { _ = try contexts.connect() }
        let kept = contexts.client.sessionCount(host: "localhost", port: 443)
        #expect(kept <= SessionCache.maxCountPerHost && kept > 0)
    }

    @Test func `of many hosts the last ones are remembered`() throws {
        let names = (0..<20).map { "h\($0).example" }
        let contexts = try Contexts(leaf: CertificateRequest(commonName: "x", names: names.map { .dns($0) }))
        for name in names { _ = try contexts.connect(host: name) }
        let remembered = names.filter { contexts.client.sessionCount(host: $0, port: 443) > 0 }
        #expect(remembered.count == SessionCache.maxHostCount && remembered.contains("h19.example"))
    }

    @Test(arguments: tlsVersions)
    func `a session is given up with its age, its verification or its certificate`(version: Int) throws {
        var leaf = CertificateRequest()
        leaf.notAfter = .seconds(3_000)
        let contexts = try Contexts(version: version, leaf: leaf)
        let session = try #require(try kept(contexts))
        let now = ResumableSession.now
        #expect(session.isUsable(now: now) && session.isUsable(now: now + 2_000))
        #expect(!session.isUsable(now: now + 3_001), "the certificate has expired")
        #expect(!session.isUsable(now: now - 100), "a clock that was set back")
        let long = try #require(try kept(Contexts(version: version)))
        #expect(!long.isUsable(now: now + 8 * 86_400))
        // Verified long ago, in the first handshake of a row.
        unsafe SSL_SESSION_up_ref(long.pointer)
        let day = ResumableSession.maxVerificationAge
        #expect(!(unsafe ResumableSession(taking: long.pointer, verifiedAt: now - day)).isUsable(now: now))
    }

    private func kept(_ contexts: Contexts) throws -> ResumableSession? {
        _ = try contexts.connect()
        return contexts.client.takeSession(for: .init(host: "localhost", port: 443))
    }

    @Test func `a row of resumptions keeps the time of the verification`() throws {
        let contexts = try Contexts(version: 0x0304)
        let first = try #require(try kept(contexts))
        unsafe SSL_SESSION_up_ref(first.pointer)
        let past = first.verifiedAt - 1_000
        contexts.client.dropSessions(for: .init(host: "localhost", port: 443))
        #expect(
            unsafe contexts.client.keep(
                first.pointer, of: contexts.client.pointer, for: .init(host: "localhost", port: 443), verifiedAt: past))
        #expect(try contexts.isResumed())
        let next = try #require(contexts.client.takeSession(for: .init(host: "localhost", port: 443)))
        #expect(next.verifiedAt == past)
    }

    @Test(arguments: tlsVersions)
    func `connections with a client certificate are resumed`(version: Int) throws {
        let people = try CertificateAuthority(commonName: "People")
        var request = CertificateRequest(commonName: "me", names: [])
        request.purpose = .client
        let me = try people.issue(request)
        let contexts = try Contexts(version: version, clientTrust: people.certificatePEM) {
            $0.identity = ClientIdentity(certificate: .pem(me.chainPEM), key: .pem(me.keyPEM))
        }
        #expect(try !contexts.isResumed())
        #expect(try contexts.isResumed())
    }

    @Test(arguments: tlsVersions)
    func `nothing is resumed where it is switched off`(version: Int) throws {
        let contexts = try Contexts(version: version) { $0.resumesSessions = false }
        for _ in 0..<3 { #expect(try !contexts.isResumed()) }
        #expect(contexts.client.resumptionCounts == (handshakes: 3, resumed: 0))
    }

    @Test(arguments: tlsVersions)
    func `a session whose chain was refused is never kept`(version: Int) throws {
        let contexts = try Contexts(version: version) {
            $0.pins = [try #require(PublicKeyPin(sha256: [UInt8](repeating: 1, count: 32)))]
        }
        let pair = TLSPair(
            client: try TLSSession(context: contexts.client, clientFor: "localhost", port: 443),
            server: try TLSSession(serverOn: contexts.server))
        #expect(pair.clientError() != nil)
        #expect(contexts.client.sessionCount(host: "localhost", port: 443) == 0)
    }
}
