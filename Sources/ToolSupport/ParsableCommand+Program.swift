package import ArgumentParser

extension ParsableCommand {
    /// What a program's `main` does: parses the command line, runs the command, and ends the process if it fails.
    ///
    /// Secrets: the parser repeats arguments that it did not expect, and one of them could be a URI.
    package static func runProgram() {
        ProcessSetup.prepare()
        do {
            var command = try parseAsRoot()
            do {
                try command.run()
            } catch let error as ValidationError {
                // Found after parsing, when the parser has forgotten which command it was.
                let name = configuration.commandName ?? "\(Self.self)"
                let subcommand = command is Self ? "" : " " + "\(type(of: command))".lowercased()
                refuse("Error: \(error)\n  See '\(name)\(subcommand) --help' for more information.")
            }
        } catch {
            end(with: error)
        }
    }

    /// Says what there is to say and ends the process.
    private static func end(with error: any Error) -> Never {
        let code = exitCode(for: error)
        let message = fullMessage(for: error)
        guard code == .validationFailure, !message.isEmpty else { exit(withError: error) }
        refuse(message)
    }

    private static func refuse(_ message: String) -> Never {
        SystemCalls.writeAll(
            Redaction.redact(CommandLine.arguments.dropFirst(), in: message) + "\n", to: SystemCalls.standardError)
        exit(withError: ExitCode.validationFailure)
    }
}
