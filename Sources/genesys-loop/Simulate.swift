import ArgumentParser
import Foundation
import GenesysSimulator
import ToolSupport

/// `genesys-loop simulate`: a local notification service.
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a local notification service, for tests and for trying things out.",
        discussion: """
            Prints {"uri":"wss://…","caFile":"…"} on standard output once it listens, and runs until SIGINT or SIGTERM. \
            The URI is that of a channel; whatever topics a client subscribes to, it gets notifications of them.

            With --require-token the line also has clientId, clientSecret, region, loginBase and apiBase: with these a \
            program gets tokens and makes channels, as with an account.
            """)

    @Option(
        help: ArgumentHelp(
            "The numeric address to listen on, 0.0.0.0 or :: for all of this machine's (default: 127.0.0.1). The URI holds "
                + "it; localhost by default and for all.", valueName: "address"))
    var host: String?

    @Option(help: ArgumentHelp("The port to listen on; 0 takes a free one.", valueName: "n"))
    var port: UInt16 = 0

    @Option(
        help: ArgumentHelp(
            "Use ca.pem, server.pem and server-key.pem of this folder, or make them there (default: certificates of its "
                + "own, gone with it).", valueName: "dir"))
    var certificates: String?

    @Option(help: ArgumentHelp("Notifications a second, over all topics.", valueName: "n"))
    var rate = 10.0

    @Option(help: ArgumentHelp("Let time pass this many times faster for all but the rate.", valueName: "x"))
    var timeScale = 1.0

    @Flag(help: "Require a token for the REST calls, and print the client that gets one beside the URI.")
    var requireToken = false

    @Option(
        help: ArgumentHelp(
            "Make things happen at their times; the manual, 'Scripts for the simulator', describes the file.",
            valueName: "file"
        ))
    var script: String?

    func validate() throws {
        if let host, !SimulatorServer.isNumericAddress(host) {
            throw ValidationError(
                "--host takes a numeric address of this machine, such as 127.0.0.1, ::1 or 0.0.0.0, and not '\(host)'.")
        }
        guard rate >= 0, rate <= 1_000_000 else { throw ValidationError("--rate takes a number from 0 to 1000000.") }
        guard timeScale >= 0.001, timeScale <= 1_000_000 else {
            throw ValidationError("--time-scale takes a number from 0.001 to 1000000.")
        }
    }

    func run() throws {
        var configuration = SimulatedService.Configuration()
        configuration.publishing.rate = rate
        configuration.timeScale = timeScale
        if requireToken { Self.requireTokens(&configuration) }
        let session = SimulateSession(
            host: host, port: port, folder: certificates, configuration: configuration, script: try plan())
        try session.run().end()
    }

    /// The REST side as the real one is: with a client, connections that are kept, and names in lower case.
    private static func requireTokens(_ configuration: inout SimulatedService.Configuration) {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        configuration.tokens.areRequired = true
        configuration.tokens.clientID = UUID().uuidString.lowercased()
        configuration.tokens.clientSecret = String((0..<43).map { _ in alphabet.randomElement() ?? "A" })
        configuration.wire.keepsConnections = true
        configuration.wire.lowercasesNames = true
    }

    private func plan() throws -> SimulatorScript? {
        guard let script else { return nil }
        var files = OptionFiles(log: EventLog(style: .sentences))
        let text = try files.read(script, "The script")
        do throws(SimulatorScript.Invalid) {
            return try SimulatorScript(Data(text), name: script)
        } catch {
            throw ValidationError(error.description)
        }
    }
}
