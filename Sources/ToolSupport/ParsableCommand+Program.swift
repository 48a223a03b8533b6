package import ArgumentParser

/// A command that handles SIGHUP and SIGUSR1 with a `SignalWatch`: until then both wait.
package protocol RequestHandling {}

extension ParsableCommand {
    /// Runs a program: parses the command line, runs the command, and ends the process if it fails.
    ///
    /// Secrets: the parser repeats unexpected arguments, and one of them could be a URI.
    package static func runProgram() {
        prepare()
        let arguments = readArguments()
        do {
            var command = try parseAsRoot(arguments)
            if !(command is any RequestHandling) { Signals.releaseRequests() }
            do {
                try command.run()
            } catch let error as ValidationError {
                // Found after parsing, when the parser no longer knows the command.
                let name = configuration.commandName ?? "\(Self.self)"
                let type = type(of: command)
                let subcommand =
                    command is Self ? "" : " " + (type.configuration.commandName ?? "\(type)".lowercased())
                refuse("Error: \(error)\n  See '\(name)\(subcommand) --help' for more information.", arguments)
            }
        } catch {
            end(with: error, arguments)
        }
        StandardError.finish()
    }

    private static func prepare() {
        do throws(SystemCalls.Failure) {
            try ProcessSetup.prepare()
        } catch {
            StandardError.write("The program cannot start: \(error)")
            StandardError.finish()
            // EX_UNAVAILABLE of sysexits.h.
            exit(withError: ExitCode(69))
        }
    }

    private static func readArguments() -> [String] {
        do throws(Arguments.Unusable) {
            return try Arguments.current()
        } catch {
            refuse("Error: \(error)", [])
        }
    }

    /// Prints the message and ends the process.
    private static func end(with error: any Error, _ arguments: [String]) -> Never {
        let code = exitCode(for: error)
        let message = fullMessage(for: error)
        if code == .validationFailure, !message.isEmpty { refuse(message, arguments) }
        StandardError.finish()
        exit(withError: error)
    }

    private static func refuse(_ message: String, _ arguments: [String]) -> Never {
        StandardError.write(Redaction.redact(arguments, in: message), mustFit: true)
        StandardError.finish()
        exit(withError: ExitCode.validationFailure)
    }
}
