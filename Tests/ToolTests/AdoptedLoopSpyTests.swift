import Foundation
import Testing

/// On an adopted loop the library makes none of the calls that belong to its owner: a preloaded library counts them.
@Suite(.timeLimit(.minutes(patience(2)))) struct AdoptedLoopSpyTests {
    @Test(.enabled(if: HostProgram.canBuild, HostProgram.missing))
    func `channels on a foreign loop neither run, stop, walk nor close it`() async throws {
        let program = try await HostProgram("AdoptingHost.swift", preloading: "Tests/Hosts/forbidden_calls.c")
        try await Simulator.with("--rate", "50") { simulator in
            let announced = simulator.announcement
            let end = await (try program.start(announced.uri, announced.caFile)).end()
            #expect(end.status == 0)
            #expect(end.outputText == "closed\nclosed\ndetached\nuv_loop_close: 0\n")
            #expect(end.errors == "uv_run 2, uv_stop 0, uv_walk 0, uv_loop_close 1\n")
        }
    }
}
