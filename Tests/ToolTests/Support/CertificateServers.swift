import Foundation
import Testing

/// The servers of `Conformance/peer_certificates.py`, for one test.
struct CertificateServers {
    /// One server, and the expected result of a client.
    struct Case: Decodable {
        var name: String
        var host: String
        var port: UInt16
        var caFile: String
        var reason: String
        var status: Int32
        var pins: [String]
        /// Whether the sentence names the CA file as the source of the certificate at fault.
        var namesFile: Bool
        var certificate: String?
        var key: String?

        var isAddress: Bool { host.contains(":") || host == "127.0.0.1" }

        /// Its numeric address, instead of its name.
        var address: String { host.contains(":") ? "[\(host)]" : "127.0.0.1" }

        func uri(_ host: String) -> String { "wss://\(host):\(port)/channels/matrix-secret" }
    }

    private struct Announcement: Decodable {
        var cases: [Case]
        var preload: String?
        var encryptedKey: String
        var passphrase: String
    }

    let cases: [Case]
    /// The library that resolves the servers' names; nil without a C compiler.
    let preload: String?
    /// The key of the case `client-good-1.3`, encrypted, and its passphrase.
    let encryptedKey: String
    let passphrase: String
    private let child: Child

    init() async throws {
        let python = try #require(Peer.python)
        child = try Child(URL(filePath: python), [Peer.folder.appending(path: "peer_certificates.py").path])
        let line = try #require(await child.output?.nextLine(), "the servers did not start")
        let announcement = try JSONDecoder().decode(Announcement.self, from: Data(line.utf8))
        cases = announcement.cases
        preload = announcement.preload
        encryptedKey = announcement.encryptedKey
        passphrase = announcement.passphrase
    }

    func named(_ name: String) throws -> Case {
        try #require(cases.first { $0.name == name })
    }

    func end() async throws {
        try child.closeInput()
        #expect(await child.end().errors == "")
    }
}
