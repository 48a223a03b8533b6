import Testing

@testable import GenesysLoop
@testable import ServerKit

/// Each fault of a certificate that a server sends to a client.
@Suite struct TLSCertificateFaultTests {
    private let root: CertificateAuthority

    init() throws {
        root = try CertificateAuthority(commonName: "Root")
    }

    /// The client's error for a server's certificate; nil if there is none.
    ///
    /// Checks that the server gets an alert.
    private func fault(
        _ identity: CertificateIdentity, host: String = "localhost", trust: [UInt8]? = nil, version: Int? = nil
    ) throws -> (CertificateFault, depth: Int, error: TLSError)? {
        let pair = try TLSPair(
            identity: identity, trust: trust ?? root.certificatePEM, host: host,
            options: .init(securityLevel: 0, maximumVersion: version))
        guard let error = pair.clientError() else {
            try #require(pair.client.isEstablished)
            return nil
        }
        guard case .certificate(let fault, let depth, let code, let text) = error.fault else { throw error }
        #expect(error.code == code && code != 0)
        #expect(error.description == "The peer's certificate is not trusted: \(text).")
        let alert = pair.client.takeOutgoing()
        #expect(!alert.isEmpty)
        let heard = #expect(throws: TLSError.self) { try pair.deliver(alert, to: pair.server) }
        if case .alertReceived = heard?.fault {} else { Issue.record("\(String(describing: heard))") }
        return (fault, depth, error)
    }

    private func request(_ change: (inout CertificateRequest) -> Void = { _ in }) -> CertificateRequest {
        var request = CertificateRequest()
        change(&request)
        return request
    }

    @Test(arguments: tlsVersions)
    func `a good certificate is accepted for its names and addresses`(version: Int) throws {
        let identity = try root.issue()
        for host in ["localhost", "LOCALHOST", "localhost.", "127.0.0.1", "::1", "0:0:0:0:0:0:0:1"] {
            #expect(try fault(identity, host: host, version: version) == nil)
        }
    }

    @Test(arguments: tlsVersions)
    func `an expired certificate is named`(version: Int) throws {
        let identity = try root.issue(
            request {
                $0.notBefore = .seconds(-86_400 * 3)
                $0.notAfter = .seconds(-86_400)
            })
        let found = try #require(try fault(identity, version: version))
        #expect(found.0 == .expired && found.depth == 0 && found.error.code == 10)
        #expect(found.error.description.contains("“localhost” expired on 2"))
        #expect(found.error.description.hasSuffix(" UTC."))
    }

    @Test func `a certificate that is not valid yet is named`() throws {
        let found = try #require(try fault(root.issue(request { $0.notBefore = .seconds(3_600) })))
        #expect(found.0 == .notYetValid && found.depth == 0)
        #expect(found.error.description.contains("is not valid before 2"))
    }

    @Test func `a certificate for another name is named, with the names it has`() throws {
        let identity = try root.issue(
            CertificateRequest(commonName: "localhost", names: [.dns("a.example"), .dns("b.example"), .ip("10.0.0.1")]))
        let found = try #require(try fault(identity))
        #expect(found.0 == .hostMismatch)
        #expect(found.error.description.contains("is for “a.example”, “b.example”, 10.0.0.1, not for “localhost”"))
    }

    @Test(arguments: ["127.0.0.2", "::2", "10.0.0.1"])
    func `a certificate for another address is named`(host: String) throws {
        #expect(try fault(root.issue(), host: host)?.0 == .hostMismatch)
    }

    @Test func `an address written as a DNS entry or common name does not count`() throws {
        let identity = try root.issue(CertificateRequest(commonName: "127.0.0.1", names: [.dns("127.0.0.1")]))
        #expect(try fault(identity, host: "127.0.0.1")?.0 == .hostMismatch)
    }

    @Test func `a common name without subjectAltName does not count`() throws {
        let found = try #require(try fault(root.issue(CertificateRequest(commonName: "localhost", names: []))))
        #expect(found.0 == .hostMismatch)
        #expect(found.error.description.contains("no subjectAltName"))
    }

    @Test(arguments: [
        ("*.example.com", "www.example.com", true), ("*.example.com", "WWW.EXAMPLE.COM", true),
        ("*.example.com", "example.com", false), ("*.example.com", "a.b.example.com", false),
        ("w*.example.com", "www.example.com", false), ("*w.example.com", "www.example.com", false),
        ("*.*.example.com", "a.b.example.com", false), ("www.*.com", "www.example.com", false),
        ("*.*.com", "www.example.com", false), ("*.com", "example.com", false), ("*", "localhost", false),
    ])
    func `a wildcard counts only as a whole left-most label`(name: String, host: String, isGood: Bool) throws {
        let identity = try root.issue(CertificateRequest(commonName: "x", names: [.dns(name)]))
        #expect(try fault(identity, host: host)?.0 == (isGood ? nil : .hostMismatch))
    }

    @Test func `an issuer that nobody knows is named`() throws {
        let other = try CertificateAuthority(commonName: "Other Root")
        let found = try #require(try fault(other.issue()))
        #expect(found.0 == .unknownIssuer && found.depth == 0)
        #expect(found.error.description.contains("issued by “Other Root”, which is neither"))
    }

    @Test func `an unknown root sent by the server is an unknown issuer, not self-signed`() throws {
        let other = try CertificateAuthority(commonName: "Other Root")
        var identity = try other.issue()
        identity.intermediatesPEM = other.certificatePEM
        let found = try #require(try fault(identity))
        #expect(found.0 == .unknownIssuer && found.depth == 1 && found.error.code == 19)
        #expect(found.error.description.contains("ends in “Other Root”"))
    }

    @Test func `an impostor with the root's name is found out`() throws {
        let other = try CertificateAuthority(commonName: "Root")
        let found = try #require(try fault(other.issue()))
        #expect([.unknownIssuer, .badSignature].contains(found.0))
    }

    @Test func `a self-signed certificate is named, and accepted when it is the one trusted`() throws {
        let identity = try CertificateAuthority.selfSigned()
        let found = try #require(try fault(identity))
        #expect(found.0 == .selfSigned && found.depth == 0 && found.error.code == 18)
        #expect(try fault(identity, trust: identity.certificatePEM) == nil)
    }

    @Test func `a missing intermediate is an unknown issuer, and names it`() throws {
        var identity = try root.issueAuthority(.authority("Intermediate")).issue()
        #expect(try fault(identity) == nil)
        identity.intermediatesPEM = []
        let found = try #require(try fault(identity))
        #expect(found.0 == .unknownIssuer && found.depth == 0)
        #expect(found.error.description.contains("issued by “Intermediate”"))
    }

    @Test func `an intermediate can be trusted without its root`() throws {
        let intermediate = try root.issueAuthority(.authority("Intermediate"))
        #expect(try fault(intermediate.issue(), trust: intermediate.certificatePEM) == nil)
    }

    @Test func `an expired intermediate is named at its depth`() throws {
        var authority = CertificateRequest.authority("Intermediate")
        authority.notBefore = .seconds(-7_200)
        authority.notAfter = .seconds(-3_600)
        let found = try #require(try fault(root.issueAuthority(authority).issue()))
        #expect(found.0 == .expired && found.depth == 1)
        #expect(found.error.description.contains("issuer certificate “Intermediate” expired"))
    }

    @Test func `an RSA key of 1,024 bits is too weak`() throws {
        let found = try #require(try fault(root.issue(request { $0.key = .rsa(bits: 1_024) })))
        #expect(found.0 == .weakKey && found.depth == 0)
        #expect(found.error.description.contains("(1024 bits)"))
        #expect(try fault(root.issue(request { $0.key = .rsa(bits: 2_048) })) == nil)
    }

    @Test func `a weak key of an issuer is named at its depth`() throws {
        var authority = CertificateRequest.authority("Intermediate")
        authority.key = .rsa(bits: 1_024)
        let found = try #require(try fault(root.issueAuthority(authority).issue()))
        #expect(found.0 == .weakKey && found.depth == 1)
    }

    @Test(arguments: tlsVersions)
    func `a SHA-1 signature is too weak`(version: Int) throws {
        let found = try #require(try fault(root.issue(request { $0.digest = .sha1 }), version: version))
        #expect(found.0 == .weakSignature && found.depth == 0)
        #expect(found.error.description.contains("weak algorithm (ecdsa-with-SHA1)"))
    }

    @Test func `a client's certificate does not make a server`() throws {
        let found = try #require(try fault(root.issue(request { $0.purpose = .client })))
        #expect(found.0 == .wrongPurpose && found.depth == 0)
        #expect(try fault(root.issue(request { $0.purpose = .serverAndClient })) == nil)
        #expect(try fault(root.issue(request { $0.purpose = .any })) == nil)
    }

    @Test(arguments: [nil, false, true] as [Bool?])
    func `an issuer that is no authority is named`(maySign: Bool?) throws {
        var authority = CertificateRequest(commonName: "Somebody", names: [.dns("somebody.example")])
        authority.maySignCertificates = maySign
        let found = try #require(try fault(root.issueAuthority(authority).issue()))
        #expect(found.0 == .notAuthority)
        #expect(found.error.description.contains("“Somebody”"))
        #expect(found.error.description.contains("no certificate authority"))
    }

    @Test func `of several faults the most useful is reported`() throws {
        let expired: (inout CertificateRequest) -> Void = {
            $0.notBefore = .seconds(-7_200)
            $0.notAfter = .seconds(-3_600)
        }
        #expect(try fault(CertificateAuthority.selfSigned(request(expired)), host: "other")?.0 == .selfSigned)
        let stranger = try CertificateAuthority(commonName: "Stranger")
        #expect(try fault(stranger.issue(request(expired)), host: "other")?.0 == .unknownIssuer)
        #expect(try fault(root.issue(request(expired)), host: "other")?.0 == .hostMismatch)
        let weak = try root.issue(
            request {
                expired(&$0)
                $0.digest = .sha1
            })
        #expect(try fault(weak)?.0 == .weakSignature)
        let client = try root.issue(
            request {
                expired(&$0)
                $0.purpose = .client
            })
        #expect(try fault(client, host: "other")?.0 == .wrongPurpose)
    }

    @Test func `what the peer wrote is shown printable and cut`() throws {
        let identity = try root.issue(
            CertificateRequest(commonName: "evil\u{1B}[31m\n\u{202E}" + String(repeating: "x", count: 40), names: []))
        let description = try #require(try fault(identity, trust: CertificateAuthority().certificatePEM))
            .error.description
        #expect(description.contains("evil?[31m??x"))
        #expect(description.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E })
    }
}
