import Testing

@testable import GenesysLoop
@testable import ServerKit

/// What the observer of a link is told on the way to an open connection.
@Suite(.timeLimit(.minutes(patience(1)))) struct LinkObserverTests {
    private static let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

    @Test(arguments: [false, true])
    func `the steps come in their order, each once`(tls: Bool) throws {
        let server = try ScriptedServer(UVLoop(), tls: tls, Step.upgrade + [.text("a"), .fin])
        let probe = LinkProbe(server)
        let observer = StepObserver()
        server.loop.linkObserver = observer
        try probe.run(host: tls ? "localhost" : "127.0.0.1")
        #expect(probe.texts == ["a"])
        let secured = tls ? ["handshake"] : []
        let names = observer.names.filter { $0 != "refused" && $0 != "found IPv6" && $0 != "missing IPv6" }
        let steps = ["connected"] + secured + ["upgrade?", "response 101", "opened"]
        #expect(Array(names.drop { $0 != "connected" }) == steps, "\(names)")
        #expect(names.first == "lookup" && names.contains("found IPv4") && names.contains("attempt"), "\(names)")
    }

    @Test func `a link that is held sends no request and waits for its owner`() throws {
        let server = try ScriptedServer(UVLoop(), tls: true, [.clientEnd])
        let probe = LinkProbe(server)
        let observer = StepObserver()
        observer.shouldUpgrade = false
        server.loop.linkObserver = observer
        var timer: TimerProbe?
        probe.didEnter = { probe, link in
            guard link.phase == .held, timer == nil else { return }
            timer = TimerProbe(server.loop) {
                $0.drop()
                #expect(link.phase == .held)
                link.drop()
            }
            timer?.start(after: .milliseconds(20))
        }
        try probe.run()
        #expect(observer.names.suffix(2) == ["handshake", "upgrade?"])
        #expect(try server.first.requests.isEmpty)
        #expect(probe.endCount == 0 && probe.finishCount == 1)
    }

    @Test func `a held link ends with the deadline of the upgrade`() throws {
        let server = try ScriptedServer(UVLoop(), [.clientEnd])
        let probe = LinkProbe(server)
        let observer = StepObserver()
        observer.shouldUpgrade = false
        server.loop.linkObserver = observer
        try probe.run(host: "127.0.0.1") { $0.upgrade = .milliseconds(20) }
        let failure = try #require(probe.end).failure
        #expect(failure.reason == .timeout && failure.phase == .upgrade)
    }

    @Test(arguments: [0x0303, 0x0304])
    func `a held link learns that its certificate is refused`(version: Int) throws {
        let people = try CertificateAuthority()
        let server = try ScriptedServer(
            UVLoop(), tls: true, maximumVersion: version, clientTrust: people.certificatePEM, [.clientEnd])
        let probe = LinkProbe(server)
        let observer = StepObserver()
        observer.shouldUpgrade = false
        server.loop.linkObserver = observer
        try probe.run()
        let failure = try #require(probe.end).failure
        #expect(failure.reason == .tlsClientCertificate && failure.phase == .tls)
        #expect(observer.handshake?.clientCertificate == .missing)
    }

    @Test func `the answer to the upgrade is told with its status and its date`() throws {
        let refusal = "HTTP/1.1 503 No\r\n\(Self.date)Content-Length: 0\r\n\r\n"
        let server = try ScriptedServer(UVLoop(), [.request, .bytes(Array(refusal.utf8)), .clientEnd])
        let probe = LinkProbe(server)
        let observer = StepObserver()
        server.loop.linkObserver = observer
        try probe.run(host: "127.0.0.1")
        #expect(observer.names.last == "response 503")
        #expect(observer.date == WallTime(seconds: 784_111_777))
    }

    @Test func `an answer without its end is told when its time is over`() throws {
        let head = "HTTP/1.1 101 Switching Protocols\r\n\(Self.date)"
        let server = try ScriptedServer(UVLoop(), [.request, .bytes(Array(head.utf8)), .clientEnd])
        let probe = LinkProbe(server)
        let observer = StepObserver()
        server.loop.linkObserver = observer
        try probe.run(host: "127.0.0.1") { $0.upgrade = .milliseconds(50) }
        #expect(try #require(probe.end).failure.reason == .timeout)
        #expect(observer.names.last == "response 101")
        #expect(observer.date == WallTime(seconds: 784_111_777))
    }

    @Test func `each address is told with its result`() throws {
        let silent = try #require(SilentAddress())
        let server = try ScriptedServer(UVLoop(), Step.upgrade + [.fin])
        let held = try ScriptedServer(server.loop, [])
        let dead = try #require(SocketAddress(numeric: "127.0.0.1", port: held.port))
        held.clientDidFinish()
        let live = try #require(SocketAddress(numeric: "127.0.0.1", port: server.port))
        let addresses = [dead, silent.address, live]
        server.loop.resolver.lookup = { _ in .success(addresses) }
        let probe = LinkProbe(server)
        let observer = StepObserver()
        server.loop.linkObserver = observer
        try withExtendedLifetime(silent) { try probe.run() }
        #expect(observer.results == [dead: "ECONNREFUSED", live: "connected"])
        #expect(observer.attempted == addresses)
    }

    // MARK: - The report of a handshake

    @Test func `the report of a handshake has what was negotiated and the chain`() throws {
        let authority = try CertificateAuthority()
        let pair = try TLSPair(identity: authority.issue(), trust: authority.certificatePEM)
        #expect(pair.client.report.negotiated == nil && pair.client.report.chain == [])
        try pair.run()
        let report = pair.client.report
        #expect(report.negotiated?.version == "TLSv1.3")
        #expect(report.trust?.certificateCount == 1)
        #expect(report.clientCertificate == .notRequested)
        #expect(report.chain.count == 1)
        let leaf = try #require(report.chain.first)
        #expect(leaf.subject == "localhost" && !leaf.issuer.isEmpty)
        let (start, end) = (try #require(leaf.notBefore), try #require(leaf.notAfter))
        #expect(start < end)
    }

    @Test(arguments: tlsVersions)
    func `the report says whether a certificate was shown`(version: Int) throws {
        let people = try CertificateAuthority(commonName: "People")
        var request = CertificateRequest(commonName: "me", names: [])
        request.purpose = .client
        let me = try people.issue(request)
        let identity = try ScriptedServer.identity.get().server
        for (asks, shows) in [(true, true), (false, true), (false, false)] {
            var configuration = try ScriptedServer.trust()
            if shows { configuration.identity = .init(certificate: .pem(me.chainPEM), key: .pem(me.keyPEM)) }
            let options = TLSContext.ServerOptions(
                maximumVersion: version, clientTrust: asks ? people.certificatePEM : nil)
            let context = try TLSContext(server: identity.chainPEM, keyPEM: identity.keyPEM, options: options)
            let pair = TLSPair(
                client: try TLSSession(context: try TLSContext(client: configuration), clientFor: "localhost"),
                server: try TLSSession(serverOn: context))
            try pair.run()
            #expect(pair.client.report.clientCertificate == (asks ? .sent : .notRequested))
        }
    }

    @Test(arguments: tlsVersions)
    func `the report of a refused chain has the chain, its dates and what was negotiated`(version: Int) throws {
        let authority = try CertificateAuthority()
        var request = CertificateRequest()
        (request.notBefore, request.notAfter) = (.seconds(-7_200), .seconds(-3_600))
        let identity = try authority.issue(request)
        let pair = try TLSPair(
            identity: identity, trust: authority.certificatePEM, options: .init(maximumVersion: version))
        let error = try #require(pair.clientError())
        #expect(error.isAboutCertificate)
        let report = pair.client.report
        let leaf = try #require(report.chain.first)
        let (start, end) = (try #require(leaf.notBefore), try #require(leaf.notAfter))
        #expect(end - start == .seconds(3_600))
        #expect(report.negotiated?.version == (version == 0x0304 ? "TLSv1.3" : "TLSv1.2"))
    }
}

/// Records the steps of a link.
private final class StepObserver: LinkObserver {
    var shouldUpgrade = true
    private(set) var names: [String] = []
    private(set) var attempted: [SocketAddress] = []
    private(set) var results: [SocketAddress: String] = [:]
    private(set) var handshake: HandshakeReport?
    private(set) var date: WallTime?

    func link(didTake step: LinkStep) {
        switch step {
        case .startedLookup: names.append("lookup")
        case .lookedUp(let family, .success): names.append("found \(family)")
        case .lookedUp(let family, .failure): names.append("missing \(family)")
        case .startedAttempt(let address):
            attempted.append(address)
            names.append("attempt")
        case .endedAttempt(let address, let error):
            results[address] = error?.name ?? "connected"
            names.append(error == nil ? "connected" : "refused")
        case .openedTunnel: names.append("tunnel")
        case .endedHandshake(let report):
            handshake = report
            names.append("handshake")
        case .readResponse(let status, let date):
            self.date = date
            names.append("response \(status)")
        case .opened: names.append("opened")
        }
    }

    func linkShouldUpgrade() -> Bool {
        names.append("upgrade?")
        return shouldUpgrade
    }
}
