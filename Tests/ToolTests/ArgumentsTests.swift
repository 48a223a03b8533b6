import ArgumentParser
import Foundation
import GenesysLoop
import Testing

@testable import ToolSupport
@testable import genesys_loop

/// The source of the arguments, and which of them are valid.
@Suite struct ArgumentsTests {
    private func decode(_ arguments: [String], _ last: [UInt8]) throws -> [String] {
        try Arguments.decode((["tool"] + arguments).map { Array($0.utf8) } + [last])
    }

    @Test func `arguments are what follows the name`() throws {
        #expect(try decode(["listen", ""], Array("é".utf8)) == ["listen", "", "é"])
    }

    @Test func `not even a name is no command line`() {
        #expect(
            throws: Arguments.Unusable(
                description: "The system does not tell the program its arguments (is /proc mounted?).")
        ) { try Arguments.decode([]) }
    }

    @Test(arguments: [
        ([], "Argument 1 is not UTF-8"), (["--ca-file"], "The value of --ca-file is not UTF-8"),
        (["--events", "x"], "Argument 3 is not UTF-8"), (["--proxy=http://h"], "Argument 2 is not UTF-8"),
    ])
    func `what is not UTF-8 is named by its place`(before: [String], sentence: String) {
        let error = #expect(throws: Arguments.Unusable.self) { try decode(before, [0x2F, 0xFF]) }
        #expect(error?.description.hasPrefix(sentence) == true, "\(error?.description ?? "")")
    }

    @Test func `an option with a value that is not UTF-8 is named`() {
        let error = #expect(throws: Arguments.Unusable.self) {
            try decode(["listen"], Array("--ca-file=/".utf8) + [0xFF])
        }
        #expect(error?.description.hasPrefix("The value of --ca-file is not UTF-8") == true)
    }

    @Test(arguments: [
        ("listen --uri wss://localhost/ --topic v2.a --ca-file", "genesys-loop"),
        ("simulate --certificates", "genesys-loop"),
        ("--ca-file", "websocket-echo"),
    ])
    func `a path that is not UTF-8 ends with 64 and a sentence that says so`(options: String, name: String) async throws
    {
        let program = name == "genesys-loop" ? Tool.executable : Tool.echo
        let script = "exec \"$0\" \(options) \"$(printf '/\\377.pem')\""
        let end = try await Slots.taken {
            await (try Child(URL(filePath: "/bin/sh"), ["-c", script, program.path], mayLeak: true)).end()
        }
        #expect(end.status == 64)
        let option = try #require(options.split(separator: " ").last)
        #expect(end.errors.contains("The value of \(option) is not UTF-8"), "\(end.errors)")
    }

    @Test(
        arguments: [
            ("1", 1.0), ("0.5", 0.5), ("90s", 90), ("5m", 300), ("24h", 86_400), ("1.5h", 5_400), ("", nil), ("s", nil),
            ("5d", nil), ("5 m", nil), ("m5", nil),
        ] as [(String, Double?)])
    func `a time is a number of seconds, or one with its unit`(text: String, seconds: Double?) {
        #expect(Seconds(argument: text)?.value == seconds)
        #expect(Limit(argument: text)?.seconds?.value == seconds)
    }

    @Test func `the limits of the command line are those of the policy`() throws {
        let needed = ["--uri", "ws://localhost/", "--topic", "v2.a"]
        func policy(_ more: String...) throws -> ReconnectPolicyTotals {
            let plan = try ListenPlan(try ListenOptions.parse(needed + more))
            guard case .backoff(let backoff) = plan.configuration.reconnect else {
                return .init(first: nil, later: nil)
            }
            return .init(first: backoff.initialTotal, later: backoff.outageTotal)
        }
        #expect(try policy() == .init(first: .seconds(60), later: .seconds(900)))
        #expect(
            try policy("--first-connection-limit", "never", "--outage-limit", "24h")
                == .init(first: nil, later: .seconds(86_400)))
        #expect(
            try policy("--first-connection-limit", "1.5", "--outage-limit", "never")
                == .init(first: .milliseconds(1_500), later: nil))
    }

    private struct ReconnectPolicyTotals: Equatable {
        var first: Duration?
        var later: Duration?
    }
}
