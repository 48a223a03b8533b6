import Foundation
import Testing

/// A host that blocks its loop for longer than every watchdog waits.
@Suite(.timeLimit(.minutes(patience(4))), .enabled(if: HostProgram.canBuild, HostProgram.missing))
struct BlockedHostTests {

    @Test func `a host that blocks its loop for 50 seconds, or for 2, loses nothing and its connection neither`()
        async throws
    {
        let program = try await HostProgram("BlockingHost.swift", preloading: "Tests/Hosts/forbidden_calls.c")
        let (seconds, rate) = isWhole ? (50, 20) : (2, 500)
        try await Simulator.with("--rate", "\(rate)") { simulator in
            let announced = simulator.announcement
            let end = await (try program.start(announced.uri, announced.caFile, "\(seconds)")).end()
            #expect(end.status == 0, "\(end.errors)")
            #expect(end.outputText == "missed 0\nclosed\n")
        }
    }
}
