import Foundation
import Testing

/// A host may release its objects in any order: nothing crashes, hangs, or remains on its loop.
@Suite(.timeLimit(.minutes(patience(3))), .enabled(if: HostProgram.canBuild, HostProgram.missing))
struct LeavingTests {
    /// Runs the program once for each way of leaving.
    private static func run(_ ways: [String], _ body: (String, Child.End) throws -> Void) async throws {
        let program = try await HostProgram("LeavingHost.swift", preloading: "Tests/Hosts/forbidden_calls.c")
        try await Simulator.with("--rate", "200") { simulator in
            for way in ways {
                let announced = simulator.announcement
                try body(way, await (try program.start(way, announced.uri, announced.caFile)).end())
            }
        }
    }

    @Test func `a program may end at any moment, with everything open`() async throws {
        let outputs = ["exit": "bye\n", "stop": "stopped with handles open\n"]
        try await LeavingTests.run(["exit", "stop"]) { way, end in
            #expect(end.status == 0, "\(way): \(end.errors)")
            #expect(end.outputText == outputs[way])
        }
    }

    @Test func `a channel may be closed from the deinit of its owner, inside a callback`() async throws {
        try await LeavingTests.run(["deinit"]) { _, end in
            #expect(end.status == 0, "\(end.errors)")
            // The delegate was deallocated with the owner, so the end is not reported.
            #expect(end.outputText == "deinit\nended\n")
        }
    }

    @Test func `loop, channel and delegate may be released in every order`() async throws {
        let orders = ["lch", "lhc", "clh", "chl", "hlc", "hcl"]
        try await LeavingTests.run(orders.map { "own:\($0)" } + orders.map { "adopted:\($0)" }) { way, end in
            #expect(end.status == 0, "\(way): \(end.errors)")
            let lines = end.outputText.split(separator: "\n").filter { $0 != "closed" }
            #expect(lines == (way.hasPrefix("own") ? ["dropped"] : ["dropped", "uv_loop_close: 0"]), "\(way)")
        }
    }

    @Test func `who closes its loop too early is told which of our handles live`() async throws {
        try await LeavingTests.run(["early"]) { _, end in
            #expect(end.status == 0, "\(end.errors)")
            let lines = end.outputText.split(separator: "\n")
            #expect(lines.first == "too early: UV_EBUSY")
            #expect(lines.dropFirst().first?.contains("handles: 1 tcp") == true, "\(end.outputText)")
            #expect(lines.dropFirst(2) == ["closed", "detached", "uv_loop_close: 0"])
        }
    }

    @Test func `handles that do not keep the loop alive let it run dry, and go on when they do`() async throws {
        try await LeavingTests.run(["unref"]) { _, end in
            #expect(end.status == 0, "\(end.errors)")
            #expect(end.outputText == "ran dry\nclosed\ndetached\nuv_loop_close: 0\n")
        }
    }

    @Test func `a channel that cannot be made leaves nothing on the loop`() async throws {
        try await LeavingTests.run(["half-way"]) { _, end in
            #expect(end.status == 0, "\(end.errors)")
            let refused = String(repeating: "refused\n", count: 3)
            #expect(end.outputText == "\(refused)UVLoop(nothing open)\ndetached\nuv_loop_close: 0\n")
        }
    }
}
