import Foundation
import GenesysLoop
import GenesysPlatform
import Testing

/// Each server of a matrix of certificates and behaviors has its exact reason, over a channel, over a request and in
/// the tool.
///
/// A server whose TLS is accepted answers with 404, so `httpNotFound` proves the handshake.
@Suite(.enabled(if: Peer.python != nil, Peer.missing), .timeLimit(.minutes(patience(3))))
struct CertificateMatrixTests {
    /// Opens a channel, and records how it ended.
    private final class Witness: NotificationChannelDelegate {
        var failure: ChannelFailure?

        func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {}
        func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
        func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}
        func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
            #expect(self.failure == nil)
            self.failure = failure
        }
    }

    private func configuration(_ server: CertificateServers.Case) -> TLSConfiguration {
        var tls = TLSConfiguration(trust: .file(server.caFile))
        tls.pins = Set(server.pins.compactMap { PublicKeyPin($0) })
        #expect(tls.pins.count == server.pins.count)
        if let certificate = server.certificate, let key = server.key {
            tls.identity = ClientIdentity(certificate: .file(certificate), key: .file(key))
        }
        return tls
    }

    private func failure(_ server: CertificateServers.Case) throws -> ChannelFailure? {
        var configuration = ChannelConfiguration()
        configuration.reconnect = .never
        configuration.tls = self.configuration(server)
        if !server.isAddress { configuration.tls.serverName = server.host }
        let loop = try UVLoop()
        let witness = Witness()
        let channel = try NotificationChannel(
            uri: server.uri(server.address), topics: ["v2.a"], on: loop, delegate: witness,
            configuration: configuration)
        channel.open()
        loop.run()
        return witness.failure
    }

    /// A request to a server: 404, which proves its TLS, or the failure.
    private func checkRequest(_ server: CertificateServers.Case, _ channel: ChannelFailure?) throws {
        let host = try RequestHost(configuration(server))
        let address = server.host.contains(":") ? "[\(server.host)]" : server.host
        let request = try HTTPRequest(.get, "https://\(address):\(server.port)/channels/matrix-secret")
        switch try #require(host.result(of: request)) {
        case .success(let answer):
            #expect(answer.status == 404 && server.reason == "httpNotFound", "\(server.name)")
        case .failure(let failure):
            #expect(failure.reason.rawValue == server.reason, "\(server.name): \(failure)")
            #expect(failure.isAboutCertificate == (server.status == 77), "\(server.name): \(failure)")
            // The channel's sentence has the same cause.
            let text = channel?.underlying?.text ?? ""
            #expect("\(failure)" == text, "\(server.name)")
            #expect(!"\(failure)".contains("matrix-secret"))
        }
    }

    @Test func `the library names the exact reason for each of the servers, over a channel and over a request`()
        async throws
    {
        try await Slots.taken {
            let servers = try await CertificateServers()
            #expect(servers.cases.count >= 24)
            for server in servers.cases {
                let found = try failure(server)
                try checkRequest(server, found)
                #expect(found?.reason.rawValue == server.reason, "\(server.name): \(found?.description ?? "nothing")")
                let isPermitted = !(found?.isCertificateFault ?? false)
                #expect(isPermitted == (server.status != 77), "\(server.name): \(found?.description ?? "nothing")")
                if server.reason != "httpNotFound" { #expect(found?.phase == .tls, "\(server.name)") }
                #expect(found?.description.contains("matrix-secret") == false)
                #expect(found?.description.contains(server.caFile) == server.namesFile, "\(server.name)")
            }
            try await servers.end()
        }
    }

    @Test func `the tool ends with the status and the reason of each of the servers`() async throws {
        try await Slots.taken {
            let servers = try await CertificateServers()
            let reachable = servers.cases.filter { servers.preload != nil || $0.isAddress }
            if servers.preload == nil {
                print("SKIPPED the certificates of names: there is no C compiler for the stub that finds them")
            }
            for server in reachable {
                let host = server.isAddress ? server.address : server.host
                let end = try await run(server, host: host, preload: servers.preload)
                #expect(end.status == server.status, "\(server.name): \(end.errors)")
                #expect(end.output == [])
                let last = try Tool.events(end.errors).last
                #expect(last?["event"] as? String == "failed", "\(server.name): \(end.errors)")
                #expect(last?["reason"] as? String == server.reason, "\(server.name): \(end.errors)")
                #expect(!end.errors.contains("matrix-secret"))
                let message = last?["message"] as? String
                #expect(message?.contains(server.caFile) == server.namesFile, "\(server.name): \(end.errors)")
            }
            try await servers.end()
        }
    }

    /// The check that `doctor` reports for a reason, and words of its advice.
    private static let diagnoses: [String: (check: String, advice: String)] = [
        "httpNotFound": ("upgrade", "new channel"),
        "tlsExpired": ("tls-certificate", "this machine's clock, which says 2"),
        "tlsNotYetValid": ("tls-certificate", "this machine's clock, which says 2"),
        "tlsHostMismatch": ("tls-certificate", "a name that the certificate lists"),
        "tlsUnknownIssuer": ("tls-certificate", "--ca-file"), "tlsSelfSigned": ("tls-certificate", "--ca-file"),
        "tlsPinMismatch": ("tls-pins", "--pin"), "tlsClientCertificate": ("tls-client-certificate", "certificate"),
        "protocolViolation": ("tls", "Check the port"),
    ]

    /// One server for each kind of fault, so that the default suite stays short.
    private static let kinds: Set = [
        "good-ecdsa", "good-chain-of-four", "other-name", "expired", "not-yet-valid", "expired-root", "unknown-issuer",
        "missing-intermediate", "self-signed", "weak-key", "pinned-leaf", "pin-mismatch", "tls-1.1-only",
        "no-application-protocol", "clear-text", "client-missing-1.2", "client-missing-1.3", "client-missing-1.3-reset",
        "client-of-a-stranger-1.3", "client-expired-1.2", "client-good-1.3", "client-wished-for-1.3",
        "client-not-asked-for",
    ]

    @Test func `doctor names the fault of each of the servers, with and without the upgrade`() async throws {
        try await Slots.taken {
            let servers = try await CertificateServers()
            let reachable = servers.cases.filter { servers.preload != nil || $0.isAddress }
            for server in reachable where isWhole || Self.kinds.contains(server.name) {
                let host = server.isAddress ? server.address : server.host
                for more in [[], ["--no-connect"]] {
                    let child = try tool("doctor", server, host: host, preload: servers.preload, ["--json"] + more)
                    let diagnosis = try Diagnosis(await child.end())
                    try check(diagnosis, of: server, stopsEarly: !more.isEmpty)
                }
            }
            try await servers.end()
        }
    }

    private func check(_ diagnosis: Diagnosis, of server: CertificateServers.Case, stopsEarly: Bool) throws {
        let all: Comment = "\(server.name): \(diagnosis)"
        #expect(try diagnosis.named("tls-trust").detail.contains(server.caFile), all)
        #expect(!"\(diagnosis)".contains("matrix-secret"))
        let isTrusted = server.reason == "httpNotFound"
        if isTrusted, stopsEarly {
            #expect(diagnosis.status == 0 && diagnosis.failures.isEmpty, all)
        } else {
            let isCertificate = server.reason == "tlsHandshake" && server.status == 77
            let expected =
                Self.diagnoses[server.reason] ?? (isCertificate ? "tls-certificate" : "tls", "Let the server")
            #expect(diagnosis.status == server.status, all)
            #expect(diagnosis.failures.map(\.name) == [expected.check], all)
            #expect(diagnosis.failures.first?.advice.contains(expected.advice) == true, all)
        }
        // The chain is not trusted, or not known yet, if TLS ends before the server's certificate is verified.
        #expect(
            diagnosis.checks.contains { $0.name == "tls-certificate" && $0.verdict != "FAIL" } == isTrusted
                || ["tlsPinMismatch", "tlsClientCertificate"].contains(server.reason), all)
        if server.name.hasPrefix("client-good") {
            #expect(try diagnosis.named("tls-client-certificate").verdict == "ok", all)
        }
    }

    private func run(_ server: CertificateServers.Case, host: String, preload: String?) async throws -> Child.End {
        await (try tool("listen", server, host: host, preload: preload, ["--events"])).end()
    }

    private func tool(
        _ command: String, _ server: CertificateServers.Case, host: String, preload: String?, _ more: [String]
    ) throws -> Child {
        var arguments = [
            command, "--uri", server.uri(host), "--ca-file", server.caFile, "--topic", "v2.a", "--no-proxy",
        ]
        arguments += more
        if let certificate = server.certificate, let key = server.key {
            arguments += ["--client-certificate", certificate, "--client-key", key]
        }
        for pin in server.pins { arguments += ["--pin", pin] }
        var variables: [String: String] = [:]
        if let preload, !server.isAddress {
            variables = ["LD_PRELOAD": preload, "ASAN_OPTIONS": "verify_asan_link_order=0"]
        }
        return try Child.tool(arguments, variables: variables)
    }

    @Test func `a key is opened with the passphrase of the environment, and the passphrase is never shown`()
        async throws
    {
        try await Slots.taken {
            let servers = try await CertificateServers()
            let server = try servers.named("client-good-1.3")
            let certificate = try #require(server.certificate)
            for (passphrase, status, sentence) in [
                (servers.passphrase, 69 as Int32, "404"), ("wrong horse", 64, "cannot be decrypted"),
                ("", 64, "its passphrase was not given"),
            ] {
                let arguments = [
                    "listen", "--uri", server.uri("127.0.0.1"), "--ca-file", server.caFile, "--topic", "v2.a",
                    "--log-level", "trace", "--client-certificate", certificate, "--client-key", servers.encryptedKey,
                ]
                // This server's certificate is for a name; only the client's progress matters.
                let expected = status == 69 ? 77 : status
                let child = try Child.tool(
                    arguments, mayLeak: true, variables: ["GENESYS_LOOP_KEY_PASSPHRASE": passphrase])
                let end = await child.end()
                #expect(end.status == expected, "\(end.errors)")
                #expect(status == 69 || end.errors.contains(sentence), "\(end.errors)")
                #expect(passphrase.isEmpty || !end.errors.contains(passphrase))
            }
            try await servers.end()
        }
    }

    private struct PromptEnd: Decodable {
        var signal: Int32?
        var status: Int32?
        var output: String
        var hidden: Bool
        var shown: Bool
    }

    /// Does something while `listen` asks for the passphrase of its key.
    private func prompted(_ action: String, _ value: (CertificateServers) -> String) async throws -> PromptEnd {
        try await Slots.taken {
            let servers = try await CertificateServers()
            let certificate = try #require(try servers.named("client-good-1.3").certificate)
            let child = try Child(
                URL(filePath: "/usr/bin/env"),
                [
                    Peer.python ?? "python3", Peer.folder.appending(path: "prompt.py").path, action, value(servers),
                    Tool.executable.path, "listen", "--uri", "wss://h.invalid/c", "--topic", "v2.a",
                    "--client-certificate", certificate, "--client-key", servers.encryptedKey, "--reconnect", "never",
                ])
            let end = try JSONDecoder().decode(PromptEnd.self, from: Data(await child.end().output))
            try await servers.end()
            #expect(end.hidden && end.shown, "\(end)")
            return end
        }
    }

    @Test(arguments: [("SIGTERM", SIGTERM), ("SIGINT", SIGINT)])
    func `a signal that ends the prompt for the passphrase leaves a terminal that shows its input`(
        name: String, number: Int32
    ) async throws {
        #expect(try await prompted("end") { _ in name }.signal == number)
    }

    @Test func `a passphrase is asked for at the terminal, and opens the key`() async throws {
        let end = try await prompted("answer") { $0.passphrase }
        // The key is read before the name of the host, which does not exist.
        #expect(end.status == 69 && !end.output.contains("private key \u{201C}"), "\(end)")
        let wrong = try await prompted("answer") { _ in "wrong horse" }
        #expect(wrong.status == 64 && wrong.output.contains("cannot be decrypted"), "\(wrong)")
    }

    @Test func `an unusable client certificate or key ends with 64 and its path`() async throws {
        try await Slots.taken {
            let servers = try await CertificateServers()
            let server = try servers.named("client-good-1.3")
            let other = try servers.named("client-of-a-stranger-1.3")
            let certificate = try #require(server.certificate)
            let cases: [(String, String, String, String)] = [
                (certificate, "/nonexistent/key.pem", "/nonexistent/key.pem", "wss"),
                ("/nonexistent/client.pem", try #require(server.key), "/nonexistent/client.pem", "wss"),
                (certificate, certificate, "no readable PEM key", "wss"),
                (certificate, try #require(other.key), "key", "wss"),
                ("/dev/null", try #require(server.key), "/dev/null", "ws"),
            ]
            for (certificate, key, sentence, scheme) in cases {
                let arguments = [
                    "listen", "--uri", "\(scheme)://127.0.0.1:\(server.port)/", "--ca-file", server.caFile, "--topic",
                    "v2.a", "--client-certificate", certificate, "--client-key", key,
                ]
                let end = await (try Child.tool(arguments, mayLeak: true)).end()
                #expect(end.status == 64, "\(end.errors)")
                #expect(end.errors.contains(sentence), "\(end.errors)")
            }
            try await servers.end()
        }
    }
}
