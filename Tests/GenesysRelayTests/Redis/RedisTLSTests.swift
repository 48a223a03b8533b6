import Foundation
import GenesysLoop
import ServerKit
import Testing

@testable import GenesysRelay

extension RedisTests {
    /// A real server with TLS, and the certificates of our own authority.
    @Suite(.enabled(if: RedisServer.isInstalled), .timeLimit(.minutes(1))) struct RedisTLSTests {
        private let loop: UVLoop
        private let authority: CertificateAuthority
        private let folder: Folder

        init() throws {
            loop = try UVLoop()
            authority = try CertificateAuthority()
            folder = try Folder()
        }

        /// A folder that is removed with the test.
        private final class Folder {
            let url = FileManager.default.temporaryDirectory.appending(path: "rt-\(UUID().uuidString.prefix(8))")

            init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
            deinit { try? FileManager.default.removeItem(at: url) }
        }

        /// A server with a free port.
        ///
        /// - Parameter asksClient: whether it wants a certificate of the client.
        private func server(
            _ request: CertificateRequest = CertificateRequest(), asksClient: Bool = false
        ) throws -> (RedisServer, port: UInt16) {
            let identity = try authority.issue(request)
            func file(_ name: String, _ bytes: [UInt8]) throws -> String {
                let path = folder.url.appending(path: name)
                try Data(bytes).write(to: path)
                return path.path
            }
            let arguments = [
                "--tls-cert-file", try file("c", identity.chainPEM), "--tls-key-file", try file("k", identity.keyPEM),
                "--tls-ca-cert-file", try file("a", authority.certificatePEM), "--tls-auth-clients",
                asksClient ? "yes" : "no",
            ]
            let (server, ports) = try RedisServer.withPorts(1, on: loop) { arguments + ["--tls-port", "\($0[0])"] }
            return (server, ports[0])
        }

        private func first(
            port: UInt16, host: String = "localhost", trust: [UInt8]? = nil, identity: ClientIdentity? = nil
        ) throws -> RedisSinkProbe.Call? {
            let target = try RedisTarget("rediss://\(host):\(port)")
            return try RedisSinkProbe(target, on: loop) {
                $0.tls.trust = .pem(trust ?? authority.certificatePEM)
                $0.tls.identity = identity
            }.run().first
        }

        private func isRefused(_ call: RedisSinkProbe.Call?, _ words: String) -> Bool {
            guard case .failed(let failure)? = call, failure.kind == .authorization, failure.reason.contains(words)
            else {
                Issue.record("\(String(describing: call))")
                return false
            }
            return true
        }

        @Test func `the server is verified by our trust and its name`() throws {
            let (server, port) = try server()
            guard case .opened(let engine, _)? = try first(port: port) else {
                Issue.record("not opened")
                return
            }
            #expect(engine.version.hasPrefix("redis"))
            #expect(try isRefused(first(port: port, trust: CertificateAuthority().certificatePEM), "not trusted"))
            withExtendedLifetime(server) {}
        }

        @Test func `a certificate of another name is refused`() throws {
            var request = CertificateRequest()
            request.names = [.dns("redis.example")]
            let (server, port) = try server(request)
            #expect(try isRefused(first(port: port), "redis.example"))
            withExtendedLifetime(server) {}
        }

        @Test func `the relay's certificate is sent, and without one the server refuses`() throws {
            let (server, port) = try server(asksClient: true)
            #expect(try isRefused(first(port: port), "certificate"))
            var request = CertificateRequest()
            request.purpose = .client
            let own = try authority.issue(request)
            let identity = ClientIdentity(certificate: .pem(own.chainPEM), key: .pem(own.keyPEM))
            guard case .opened? = try first(port: port, identity: identity) else {
                Issue.record("not opened")
                return
            }
            withExtendedLifetime(server) {}
        }

        @Test func `records are stored over TLS`() throws {
            let (server, port) = try server()
            let host = RelayHost(on: loop)
            try host.relay(RedisTarget("rediss://localhost:\(port)"), trust: authority.certificatePEM)
            host.onCall = { host, call in
                guard call == .source else { return }
                host.receive(1...2_000, size: 300)
                host.relay?.close()
            }
            host.relay?.open()
            loop.run()
            #expect(host.plot.last == .closed)
            #expect(try server.entries(of: "genesys:test").count == 2_001)
        }
    }
}

extension RelayHost {
    /// Makes a relay that writes to a Redis.
    func relay(
        _ target: RedisTarget, trust: [UInt8]? = nil, limits: EngineStream.Limits = .init(),
        _ change: (inout RelayConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = RedisSink.Configuration(target: target, name: "test")
        if let trust { configuration.tls.trust = .pem(trust) }
        configuration.limits = limits
        var settings = RelayConfiguration()
        change(&settings)
        relay = try Relay(
            name: "test", target: .standardOutput, sink: RedisSink(configuration, on: loop), on: loop, delegate: self,
            configuration: settings)
    }
}
