import ArgumentParser
import GenesysLoop
import GenesysSimulator
import Logging
import ToolSupport

/// One run of `simulate`: loop, server, certificates and signals.
struct SimulateSession {
    /// The address to listen on; nil for loopback.
    let host: String?
    let port: UInt16
    /// The folder for the certificates; nil for temporary ones.
    let folder: String?
    let configuration: SimulatedService.Configuration
    let script: SimulatorScript?

    private let log = EventLog(style: .sentences)

    init(
        host: String? = nil, port: UInt16, folder: String?, configuration: SimulatedService.Configuration,
        script: SimulatorScript? = nil
    ) {
        self.host = host
        self.port = port
        self.folder = folder
        self.configuration = configuration
        self.script = script
    }

    func run() throws -> ExitStatus {
        do {
            return try serve(certificates: folder.map { try .folder($0, host: host) } ?? .inMemory(host: host))
        } catch let error as SimulatorError where error.kind == .certificates && folder != nil {
            throw ValidationError(error.description)
        } catch let error as ExitCode {
            throw error
        } catch {
            log.write(.log(.error, "\(error)"))
            return .unavailable
        }
    }

    private func serve(certificates: SimulatorCertificates) throws -> ExitStatus {
        let loop = try UVLoop()
        // A signal may arrive after the loop has ended, which is not a mistake.
        loop.logger = EventLogHandler.logger(log, .critical)
        let writer = LineWriter(to: SystemCalls.standardOutput)
        // Hold signals until the watch exists: from here on clients may connect, and a folder must be removed.
        Signals.hold()
        var seed = SystemRandomNumberGenerator()
        let server = try SimulatorServer(
            on: loop, host: host, port: port, certificates: certificates, configuration: configuration,
            seed: seed.next())
        let temporary =
            try certificates.caFile == nil
            ? TemporaryFolder(file: "ca.pem", contents: certificates.caCertificatePEM) : nil
        defer { temporary?.remove() }
        let player = script.map { ScriptPlayer($0, on: server) }
        let bound = LoopBound((server, player), on: loop)
        let close: @Sendable () -> Void = {
            loop.execute {
                bound.value.1?.stop()
                bound.value.0.close()
            }
        }
        let signals = try SignalWatch(
            first: {
                writer.interrupt()
                close()
            },
            last: { temporary?.remove() })
        defer {
            // In this order, because a second signal must not end the process in between.
            temporary?.remove()
            signals.end()
        }
        if let host, !certificates.isValid(for: host), !["0.0.0.0", "::"].contains(host) {
            log.write(.log(.warning, "The certificate in \(folder ?? "use") does not name \(host)."))
        }
        try writer.start { report in if report == .failed { close() } }
        server.start()
        Announcement(
            uri: try server.createChannel().uri, caFile: temporary?.file ?? certificates.caFile ?? "",
            client: client(of: server)
        ).write(to: writer)
        player?.start()
        loop.run()
        return Output.finish(writer, log: log) ?? .success
    }

    /// The client that gets tokens; nil if none are required from the start.
    private func client(of server: SimulatorServer) -> Announcement.Client? {
        let tokens = configuration.tokens
        guard tokens.areRequired else { return nil }
        return Announcement.Client(
            id: tokens.clientID, secret: tokens.clientSecret, base: server.restBase, region: "simulator.localhost")
    }
}
