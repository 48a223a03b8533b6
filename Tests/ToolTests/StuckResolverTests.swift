import Foundation
import Testing

/// The system's resolver never answers: a preloaded library simulates it.
@Suite(.timeLimit(.minutes(patience(2)))) struct StuckResolverTests {
    private static let stub = "Conformance/resolver.c"

    @Test(.enabled(if: HostProgram.canBuild, HostProgram.missing))
    func `a stuck look-up fails on time, and keeps neither a channel nor its loop from being closed`() async throws {
        let program = try await HostProgram("StuckHost.swift", preloading: Self.stub)
        let end = await (try program.start()).end()
        #expect(end.status == 0)
        #expect(
            end.outputText == """
                timeout dns on time
                The channel could not be opened: the name resolution took longer than its deadline (the system's \
                resolver does not answer). Check the network and this machine's name servers.
                closed
                detached
                uv_loop_close: 0 at once

                """)
        #expect(end.errors == "")
    }

    /// Runs the tool with a name for the stub, and measures the time.
    private func listen(_ uri: String, _ arguments: String...) async throws -> (end: Child.End, elapsed: Duration) {
        let stub = try await HostProgram(nil, preloading: Self.stub)
        return try await Slots.taken {
            let arguments = ["listen", "--uri", uri, "--topic", "v2.a", "--events"] + arguments
            let start = ContinuousClock.now
            let end = await (try Child.tool(arguments, variables: stub.variables)).end()
            return (end, end.instant - start)
        }
    }

    @Test(.enabled(if: HostProgram.canPreload, HostProgram.missing))
    func `the tool ends when its time is over, although the look-up is stuck`() async throws {
        let end = try await listen("ws://a.stuck.test/", "--duration", "0.5").end
        #expect(end.status == 69, "\(end.errors)")
        let events = try Tool.events(end.errors)
        #expect(events.last?["event"] as? String == "closed")
    }

    @Test(
        .enabled(if: HostProgram.canPreload, HostProgram.missing),
        .enabled(if: isWhole, "ten seconds: with --all only"))
    func `the tool fails when the deadline of the look-up has passed, and says what does not answer`() async throws {
        let (end, elapsed) = try await listen("ws://a.stuck.test/", "--reconnect", "never")
        #expect(end.status == 69, "\(end.errors)")
        // The deadline is 10 s.
        #expect((Duration.seconds(10)..<(.seconds(20))).contains(elapsed))
        let last = try #require(try Tool.events(end.errors).last)
        #expect(last["event"] as? String == "failed")
        #expect(last["reason"] as? String == "timeout")
        #expect(last["phase"] as? String == "dns")
        #expect((last["message"] as? String)?.contains("the system's resolver does not answer") == true)
    }

    @Test(.enabled(if: HostProgram.canPreload, HostProgram.missing))
    func `a name whose IPv6 look-up is stuck is connected over IPv4`() async throws {
        let stub = try await HostProgram(nil, preloading: Self.stub)
        try await Simulator.with { simulator in
            var uri = try #require(URLComponents(string: simulator.announcement.uri))
            uri.host = "a.slow6.test"
            let arguments = [
                "listen", "--uri", try #require(uri.string), "--topic", "v2.a", "--events", "--reconnect", "never",
                "--ca-file", simulator.announcement.caFile,
            ]
            let end = await (try Child.tool(arguments, variables: stub.variables)).end()
            // The certificate is for another name, which proves that TLS was reached.
            #expect(try Tool.events(end.errors).last?["reason"] as? String == "tlsHostMismatch", "\(end.errors)")
        }
    }
}
