import Foundation
import Testing

/// The beginning of a line of standard error, which depends on where standard error goes.
@Suite(.timeLimit(.minutes(patience(2)))) struct LogLineTests {
    private static let command = #""$0" listen --uri ws://127.0.0.1:$1/ --topic v2.a --reconnect never"#

    private func run(_ script: String) async throws -> [String] {
        let held = try HeldPort()
        let end = try await Slots.taken {
            await
                (try Child(
                    URL(filePath: "/bin/sh"), ["-c", script, Tool.executable.path, "\(held.port)"],
                    variables: ["TERM": "xterm"])).end()
        }
        return end.errors.split(separator: "\n").map(String.init)
    }

    @Test func `each line has its time where standard error is no terminal`() async throws {
        for script in [Self.command, "JOURNAL_STREAM=1:2 \(Self.command)"] {
            let lines = try await run(script)
            #expect(try Tool.sentences(lines.joined(separator: "\n")).count == 1)
        }
    }

    #if os(Linux)
    @Test func `a line for the journal has its priority and no time`() async throws {
        let here = "JOURNAL_STREAM=$(stat -L -c %d:%i /dev/fd/2)"
        let lines = try await run("\(here) \(Self.command)")
        #expect(lines.count == 1)
        #expect(lines.first?.hasPrefix("<3>The channel could not be opened") == true, "\(lines)")
        let events = try await run("\(here) \(Self.command) --events")
        #expect(try Tool.events(events.joined(separator: "\n")).count == 1)
    }
    #endif
}
