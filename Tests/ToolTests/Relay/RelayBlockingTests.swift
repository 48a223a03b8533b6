import Foundation
import Testing

/// Whatever the engine does, the loop's thread of the tool never waits: a preloaded library records calls that sleep.
@Suite(.timeLimit(.minutes(patience(2))), .enabled(if: HostProgram.canPreload, HostProgram.missing))
struct RelayBlockingTests {
    /// Runs the tool until `body` has seen enough, and checks what was recorded.
    private func relay(
        to target: String, _ arguments: [String] = [], expecting status: Int32,
        _ body: (OwnService, Child) async throws -> Void = { _, _ in }
    ) async throws {
        let recorder = try await HostProgram(
            nil, preloading: "Conformance/resolver.c", "Tests/Hosts/blocking_calls.c")
        try await OwnService.with(rate: 5_000) { service, _ in
            let child = try service.relay(to: target, arguments, variables: recorder.variables)
            try await body(service, child)
            let end = await child.end()
            #expect(end.status == status, "\(end.errors)")
            #expect(end.errors.hasSuffix("blocking calls: 0\n"), "\(end.errors)")
        }
    }

    @Test func `a name that is never resolved`() async throws {
        try await relay(to: "redis://a.stuck.test", ["--first-connection-limit", "1"], expecting: 69)
    }

    @Test func `a server that does not answer the handshake of TLS`() async throws {
        let held = try HeldPort(listens: true)
        try await relay(to: "rediss://localhost:\(held.port)", ["--first-connection-limit", "1"], expecting: 69)
    }

    @Test func `a server to which no connection is made`() async throws {
        let silent = try SilentPort()
        try await relay(to: "redis://localhost:\(silent.port)", ["--first-connection-limit", "1"], expecting: 69)
    }

    @Test func `a full device`() async throws {
        try await relay(to: "file:/dev/full", expecting: 74)
    }

    @Test(.enabled(if: RedisServer.isPossible, RedisServer.missing))
    func `a server that is frozen, with a queue that is full`() async throws {
        try await RedisServer.with { redis, server in
            let options = ["--queue-bytes", "100000", "--overflow", "drop-oldest"]
            try await relay(to: redis.target, options, expecting: 0) { _, child in
                #expect(await child.event(with: "\"subscribed\"") != nil)
                server.signal(SIGSTOP)
                #expect(await child.event(with: "\"overflow\"") != nil)
                #expect(await child.event(with: "\"engineLost\"") != nil)
                server.signal(SIGCONT)
                #expect(await child.event(with: "\"dropped\"") != nil)
                child.signal(SIGTERM)
            }
        }
    }
}
