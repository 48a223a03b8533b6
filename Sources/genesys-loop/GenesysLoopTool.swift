import ArgumentParser

/// The command-line tool: `listen`, `simulate` and `demo`.
///
/// Exit status: see `ExitStatus`.
@main
struct GenesysLoopTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "genesys-loop",
        abstract: "Receives Genesys Cloud notifications, and simulates the service that sends them.",
        discussion: """
            Notifications go to standard output, one JSON object a line; everything else goes to standard error.

            Exit status: 0 done or interrupted; 64 wrong usage; 69 the connection could not be made or recovered; \
            74 standard output could not be written; 76 the peer broke the protocol; 77 authorization refused or \
            certificate not trusted; 78 subscription refused.
            """,
        version: "genesys-loop 0.1.0",
        subcommands: [Listen.self, Simulate.self, Demo.self])

    static func main() {
        ProcessSetup.prepare()
        do {
            var command = try parseAsRoot()
            do {
                try command.run()
            } catch let error as ValidationError {
                // Found after parsing, when the parser has forgotten which command it was.
                let name = "\(type(of: command))".lowercased()
                refuse("Error: \(error)\n  See 'genesys-loop \(name) --help' for more information.")
            }
        } catch {
            end(with: error)
        }
    }

    /// Says what there is to say and ends the process.
    ///
    /// The parser repeats arguments that it did not expect; one that could be a channel URI is a secret.
    private static func end(with error: any Error) -> Never {
        let code = exitCode(for: error)
        let message = fullMessage(for: error)
        guard !code.isSuccess, !message.isEmpty else { exit(withError: error) }
        guard code.rawValue == ExitStatus.usage.rawValue else { exit(withError: error) }
        refuse(message)
    }

    private static func refuse(_ message: String) -> Never {
        SystemCalls.writeAll(
            Redaction.redact(CommandLine.arguments.dropFirst(), in: message) + "\n", to: SystemCalls.standardError)
        exit(withError: ExitCode(ExitStatus.usage.rawValue))
    }
}
