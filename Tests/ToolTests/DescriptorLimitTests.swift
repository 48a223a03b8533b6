import Foundation
import Testing

/// The tool with few file descriptors.
@Suite(.timeLimit(.minutes(patience(2)))) struct DescriptorLimitTests {
    @Test(arguments: ["ws", "wss"])
    func `however few descriptors there are, the tool ends with 69 and says so`(scheme: String) async throws {
        let port = try HeldPort()
        var outcomes: [Set<String>] = []
        try await Simulator.with { simulator in
            // From too few descriptors for a loop, to enough to find no listener at the port.
            for limit in 4...24 {
                let arguments = [
                    "listen", "--uri", "\(scheme)://127.0.0.1:\(port.port)/", "--topic", "v2.a", "--events",
                    "--no-proxy",
                    "--reconnect", "never", "--ca-file", simulator.announcement.caFile,
                ]
                let child = try Child(
                    URL(filePath: "/bin/sh"),
                    ["-c", "ulimit -n \(limit); exec \"$0\" \"$@\"", Tool.executable.path] + arguments,
                    mayLeak: true)  // The leak sanitizer needs descriptors itself.
                let end = await child.end()
                #expect(end.status == 69, "\(limit): \(end.errors)")
                let last = try #require(try Tool.events(end.errors).last, "\(limit)")
                let message = last["message"] as? String ?? ""
                let sentences = ["too many open files", "connection refused"].filter(message.contains)
                #expect(sentences.count == 1, "\(limit): \(message)")
                outcomes.append(Set(sentences + [last["reason"] as? String ?? "start"]))
            }
        }
        #expect(outcomes.first == ["too many open files", "start"])
        #expect(outcomes.contains(["too many open files", "connect"]))
        #expect(outcomes.last == ["connection refused", "connect"])
    }
}
