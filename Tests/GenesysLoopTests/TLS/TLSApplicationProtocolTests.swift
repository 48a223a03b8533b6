internal import COpenSSL
import Testing

@testable import GenesysLoop
@testable import ServerKit

/// ALPN (RFC 7301).
@Suite struct TLSApplicationProtocolTests {
    /// A client with these protocols and a server that accepts those of `choice`; nil ignores ALPN.
    private func pair(
        _ choice: [String]?, version: Int = 0x0304, _ change: (inout TLSConfiguration) -> Void = { _ in }
    ) throws -> (TLSPair, server: TLSContext) {
        let authority = try CertificateAuthority()
        let identity = try authority.issue()
        var configuration = TLSConfiguration(trust: .pem(authority.certificatePEM))
        change(&configuration)
        let client = try TLSContext(client: configuration)
        let server = try TLSContext(
            server: identity.chainPEM, keyPEM: identity.keyPEM,
            options: .init(maximumVersion: version, applicationProtocols: choice))
        let pair = TLSPair(
            client: try TLSSession(context: client, clientFor: "localhost"),
            server: try TLSSession(serverOn: server))
        return (pair, server)
    }

    @Test(arguments: tlsVersions) func `http/1.1 is offered without being asked for`(version: Int) throws {
        #expect(TLSConfiguration().applicationProtocols == ["http/1.1"])
        let (pair, _) = try pair(["h2", "http/1.1"], version: version)
        try pair.run()
        #expect(pair.client.summary.applicationProtocol == "http/1.1")
        #expect(pair.server.summary.applicationProtocol == "http/1.1")
    }

    @Test(arguments: tlsVersions) func `a server that chooses none is accepted`(version: Int) throws {
        let (pair, _) = try pair(nil, version: version)
        try pair.run()
        #expect(pair.client.isEstablished)
        #expect(pair.client.summary.applicationProtocol == nil)
    }

    @Test func `the server prefers, of what is offered`() throws {
        let (pair, _) = try pair(["c", "b", "a"]) { $0.applicationProtocols = ["a", "b"] }
        try pair.run()
        #expect(pair.client.summary.applicationProtocol == "b")
    }

    @Test func `an empty list offers nothing`() throws {
        let (silent, _) = try pair([]) { $0.applicationProtocols = [] }
        try silent.run()
        #expect(silent.client.isEstablished)
        let (speaking, _) = try pair([])
        #expect(speaking.clientError() != nil)
    }

    @Test(arguments: tlsVersions) func `a server that takes none of them is told as that`(version: Int) throws {
        let (pair, _) = try pair(["h2"], version: version)
        let error = try #require(pair.clientError())
        #expect(error.fault == .alertReceived(120, "no application protocol"))
        let failure = ChannelFailure(.tls(error, during: .tls))
        #expect(failure.reason == .tlsHandshake)
        #expect(!failure.isRetryable)
        #expect(
            failure.description
                == "The channel could not be opened: the peer takes no application protocol that was offered to it by "
                + "ALPN: it ended TLS with the alert “no application protocol” (120). Offer one that it speaks, or none."
        )
    }

    @Test(arguments: tlsVersions, [["http/1.1"], []])
    func `a server that chooses what was not offered breaks TLS`(version: Int, offered: [String]) throws {
        let (pair, server) = try pair(nil, version: version) { $0.applicationProtocols = offered }
        unsafe SSL_CTX_set_alpn_select_cb(server.pointer, chooseUnasked, nil)
        let error = pair.clientError()
        // Without an offer a server cannot choose: OpenSSL does not even call it.
        #expect(error?.fault == (offered.isEmpty ? nil : .protocol))
        guard let error else { return }
        let failure = ChannelFailure(.tls(error, during: .tls))
        #expect(failure.reason == .protocolViolation)
    }

    @Test(arguments: ["", String(repeating: "a", count: 256)])
    func `a name has 1 to 255 bytes`(name: String) throws {
        let error = #expect(throws: TLSError.self) { _ = try pair(nil) { $0.applicationProtocols = [name] } }
        #expect(error?.fault == .configuration)
        let (longest, _) = try pair(nil) { $0.applicationProtocols = [String(repeating: "a", count: 255)] }
        try longest.run()
    }

    @Test func `a proxy over TLS is offered http/1.1 too`() {
        #expect(ChannelConfiguration().proxyTLS.applicationProtocols == ["http/1.1"])
        #expect(WebSocketClientConfiguration().proxyTLS.applicationProtocols == ["http/1.1"])
    }
}

/// A server that breaks RFC 7301 §3.2.
private func chooseUnasked(
    _ ssl: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenCount: UnsafeMutablePointer<UInt8>?, _ offer: UnsafePointer<UInt8>?, _ offerCount: UInt32,
    _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    let name: StaticString = "h2"
    // A constant of the program.
    unsafe chosen?.pointee = unsafe name.utf8Start
    unsafe chosenCount?.pointee = 2
    return SSL_TLSEXT_ERR_OK
}
