import Foundation
import Testing

/// A process of its own that leaves requests at each moment, during a look-up that never ends among them.
///
/// A preloaded library records the calls in which the loop's thread sleeps.
@Suite(.timeLimit(.minutes(patience(2)))) struct RequestProbeTests {
    private func probe(_ arguments: String...) async throws -> Child.End {
        let recorder = try await HostProgram(
            nil, preloading: "Conformance/resolver.c", "Tests/Hosts/blocking_calls.c")
        return try await Slots.taken {
            let probe = Tool.executable.deletingLastPathComponent().appending(path: "request-probe")
            return await (try Child(probe, arguments, variables: recorder.variables)).end()
        }
    }

    @Test(.enabled(if: HostProgram.canPreload, HostProgram.missing))
    func `a request may be left at any moment: nothing of it is left, and the loop's thread never waits`() async throws
    {
        let end = try await probe()
        #expect(end.status == 0)
        #expect(end.errors == "blocking calls: 0\n")
        let lines = end.outputText.split(separator: "\n").map(String.init)
        for line in lines {
            let hasResult = line.hasPrefix("end ") || line.hasPrefix("idle ") || line.contains("deadline")
            #expect(line.hasSuffix(": \(hasResult ? 1 : 0) results, 0 descriptors, 0 threads"), "\(line)")
        }
        // Ten moments with three ways out, and a deadline in seven of them.
        #expect(lines.count == 37)
    }

    @Test(.enabled(if: HostProgram.canPreload, HostProgram.missing))
    func `a call that blocks the loop's thread is recorded`() async throws {
        let end = try await probe("--block")
        #expect(end.status == 0)
        #expect(end.errors == "poll blocked\nblocking calls: 1\n")
    }
}
