import GenesysLoop
import Testing
import ToolSupport

@testable import genesys_loop

/// The checks of `doctor` as values.
@Suite struct CheckTests {
    @Test func `a line has the verdict, the name, the seconds, what was found and what to do`() {
        let check = Check.failure(.tls, after: .milliseconds(1_007), "It broke.", advice: "Mend it.")
        #expect(check.line == "FAIL  tls                     1.007 s  It broke. → Mend it.")
        #expect(
            Check.ok(.clientCertificate, after: .zero, "Fine.").line == "ok    tls-client-certificate  0.000 s  Fine.")
        #expect(
            String(decoding: check.json, as: UTF8.self)
                == #"{"name":"tls","verdict":"FAIL","seconds":1.007,"detail":"It broke.","advice":"Mend it."}"#)
    }

    @Test func `control characters of a peer do not reach the terminal`() {
        let check = Check.warning(.upgrade, "a\u{1B}[2Jb\nc.", advice: "d\re.")
        #expect(!check.line.contains("\u{1B}") && !check.line.contains("\n") && !check.line.contains("\r"))
    }

    // MARK: - Addresses

    private static let first = SocketAddress(numeric: "192.0.2.1", port: 443)
    private static let second = SocketAddress(numeric: "2001:db8::1", port: 443)
    private static let missing = ResolverError(code: -2, text: "not known", isNoSuchName: true)
    private static let later = ResolverError(code: -3, text: "try again", isNoSuchName: false)

    private func findings(_ ipv6: Result<[SocketAddress], ResolverError>?) throws -> AddressFindings {
        var findings = AddressFindings(host: "h.test", port: 443, isProxy: false)
        findings.answered(.ipv4, .success([try #require(Self.first)]), after: .milliseconds(5))
        if let ipv6 { findings.answered(.ipv6, ipv6, after: .milliseconds(9)) }
        return findings
    }

    @Test func `a dead address is a warning beside a live one, and a failure without`() throws {
        let (first, second) = (try #require(Self.first), try #require(Self.second))
        var findings = try findings(.success([second]))
        #expect(findings.isResolved && findings.untried == [second, first])
        findings.tried(second, .silent, after: .seconds(10))
        findings.tried(first, .accepted, after: .milliseconds(3))
        #expect(findings.untried.isEmpty && findings.isReached)
        let checks = findings.checks(nil)
        #expect(checks.map(\.name) == [.name, .address, .address])
        #expect(checks.map(\.verdict) == [.ok, .warn, .ok])
        #expect(checks[0].detail == "The host h.test is found (IPv6: 2001:db8::1; IPv4: 192.0.2.1).")
        #expect(checks[1].detail == "[2001:db8::1]:443: no answer." && checks[1].time == .seconds(10))
        findings.tried(first, .refused("connection refused"), after: .milliseconds(3))
        let failures = findings.checks((clause: "no TCP connection could be made", advice: "Check the port."))
        #expect(failures.map(\.verdict) == [.ok, .failed, .failed])
        #expect(failures[2].detail == "192.0.2.1:443: connection refused." && failures[2].advice == "Check the port.")
    }

    @Test func `a family without an address is no fault, one whose look-up failed is a warning`() throws {
        for (answer, verdict, text) in [
            (.failure(Self.missing), .ok, "IPv6: no address"), (.failure(Self.later), .warn, "IPv6: try again"),
            (nil, .warn, "IPv6: no answer"),
        ] as [(Result<[SocketAddress], ResolverError>?, Check.Verdict, String)] {
            let check = try findings(answer).checks(nil)[0]
            #expect(check.verdict == verdict && check.detail.contains(text), "\(check)")
        }
    }

    @Test func `a numeric address needs no look-up of the other family`() throws {
        var findings = AddressFindings(host: "192.0.2.1", port: 443, isProxy: true)
        findings.answered(.ipv4, .success([try #require(Self.first)]), after: .zero)
        #expect(findings.isResolved)
        #expect(findings.checks(nil)[0].detail == "The proxy's host 192.0.2.1 is an address, not a name.")
    }

    // MARK: - TLS

    private static let now = WallTime(seconds: 1_800_000_000)

    private func handshake(
        endsIn days: Int64, _ client: HandshakeReport.ClientCertificate = .notRequested
    ) -> HandshakeChecks {
        var report = HandshakeReport(trust: nil)
        report.negotiated = .init(version: "TLSv1.3", cipher: "C", applicationProtocol: "http/1.1", isResumed: false)
        report.clientCertificate = client
        report.chain = [
            CertificateSummary(
                subject: "leaf", issuer: "issuer", notBefore: Self.now, notAfter: Self.now + .seconds(90 * 86_400)),
            CertificateSummary(
                subject: "issuer", issuer: "root", notBefore: Self.now,
                notAfter: Self.now + .seconds(days * 86_400 + 1)),
        ]
        return HandshakeChecks(report: report, time: .zero, now: Self.now, pinCount: 1, protocols: ["http/1.1"])
    }

    @Test func `a certificate that ends soon is a warning, and an issuer's counts`() {
        let fine = handshake(endsIn: 14).certificate
        #expect(fine.verdict == .ok)
        #expect(fine.detail.contains("“leaf” by “issuer”, “issuer” by “root”; “issuer” ends in 14 days, on 2027-01-29"))
        let soon = handshake(endsIn: 13).certificate
        #expect(soon.verdict == .warn && soon.advice == "Have the certificate of “issuer” renewed.")
        #expect(handshake(endsIn: 1).tls.detail == "TLSv1.3, C, the server chose http/1.1 by ALPN.")
    }

    @Test func `what became of the client's certificate`() {
        #expect(handshake(endsIn: 1).clientCertificate(isConfigured: false) == nil)
        #expect(handshake(endsIn: 1).clientCertificate(isConfigured: true)?.detail.contains("not shown") == true)
        #expect(handshake(endsIn: 1, .sent).clientCertificate(isConfigured: true)?.verdict == .ok)
        #expect(handshake(endsIn: 1, .missing).clientCertificate(isConfigured: false)?.verdict == .ok)
        #expect(handshake(endsIn: 1, .missing).unansweredClientCertificate?.verdict == .warn)
        #expect(handshake(endsIn: 1, .sent).unansweredClientCertificate?.verdict == .ok)
        #expect(handshake(endsIn: 1).unansweredClientCertificate == nil)
    }

    // MARK: - The clock

    @Test(
        arguments: [
            (0, .ok, ""), (29, .ok, ""), (-29, .ok, ""), (30, .ok, ""), (31, .warn, "30 s behind"),
            (-31, .warn, "30 s ahead of"), (3_600, .warn, "59 min 59 s behind"),
            (90_001, .warn, "1 d 1 h 0 min 0 s behind"),
        ] as [(Int64, Check.Verdict, String)])
    func `a clock is judged by what the answer proves`(offset: Int64, verdict: Check.Verdict, text: String) {
        // Asked at the end of a second, answered a second later: the date may be up to a second old.
        let sent = WallTime(seconds: 1_800_000_000)
        let check = ClockCheck.make(
            date: WallTime(seconds: sent.seconds + offset), sent: sent, received: sent + .seconds(1))
        #expect(check.verdict == verdict && check.detail.contains(text), "\(check)")
    }

    // MARK: - Advice

    @Test func `every failure in every phase has a sentence of advice`() throws {
        let circumstances = ChannelFailure.Circumstances(
            target: "h.test:443", hasIdentity: false, now: Self.now)
        for (reason, _, _) in ExitStatusTests.table {
            for phase in [
                ChannelFailure.Phase.dns, .connect, .proxy, .tls, .upgrade, .subscribe, .open, .close, .token,
                .provision,
            ] {
                let advice = ChannelFailure(reason: reason, phase: phase).advice(circumstances)
                #expect(advice.count > 15 && advice.hasSuffix("."), "\(reason) \(phase): \(advice)")
            }
        }
    }

    @Test func `a partial confirmation lists a few of the topics`() {
        let topics = (0..<30).map { Topic("v2.t\($0)") }
        let check = SubscriptionCheck.make(topics, unconfirmed: Array(topics.prefix(25)), after: .zero)
        #expect(check.verdict == .warn && check.detail.contains("v2.t19 and 5 more"))
        #expect(SubscriptionCheck.make(topics, unconfirmed: [], after: .zero).verdict == .ok)
    }
}
