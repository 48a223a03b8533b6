import ArgumentParser
import ToolSupport

/// The command-line tool: `listen`, `relay`, `doctor`, `simulate` and `demo`.
///
/// Exit status: see `ExitStatus`.
@main
struct GenesysLoopTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "genesys-loop",
        abstract: "Receives Genesys Cloud notifications, and simulates the service that sends them.",
        discussion: """
            Notifications go to standard output, or to a file, one JSON object a line; everything else goes to standard error.

            Exit status: 0 done or interrupted; 64 wrong usage; 66 the channel is gone or belongs to another client: a \
            new one is needed; 69 the connection could not be made or recovered; 74 the output could not be \
            written; 75 a relay ended before everything was stored; 76 the peer broke the protocol; 77 authorization refused or certificate not trusted; 78 subscription \
            refused.
            """,
        version: "genesys-loop \(version)",
        subcommands: [Listen.self, RelayCommand.self, Doctor.self, Simulate.self, Demo.self])

    static let version = "0.1.0"

    static func main() { runProgram() }
}
