import ArgumentParser
import GenesysLoop
import GenesysSimulator
import ToolSupport

/// One run as a server: loop, server, certificates and signals.
struct ServerSession {
    let port: UInt16
    /// The folder for the certificates; nil for `ws:`.
    let folder: String?
    let configuration: EchoServer.Configuration

    func run() throws -> ExitStatus {
        let certificates: SimulatorCertificates?
        do {
            certificates = try folder.map { try .folder($0) }
        } catch {
            throw ValidationError("\(error)")
        }
        do {
            return try serve(certificates)
        } catch {
            return .failed(.unavailable, "\(error)")
        }
    }

    private func serve(_ certificates: SimulatorCertificates?) throws -> ExitStatus {
        let loop = try UVLoop()
        // Hold signals until the watch exists: from here on clients may connect.
        Signals.hold()
        let server = try EchoServer(on: loop, port: port, certificates: certificates, configuration: configuration)
        let writer = LineWriter(to: SystemCalls.standardOutput)
        let bound = LoopBound(server, on: loop)
        let close: @Sendable () -> Void = { bound.execute { $0.close() } }
        let signals = try SignalWatch(first: {
            writer.interrupt()
            close()
        })
        defer { signals.end() }
        try writer.start { report in if report == .failed { close() } }
        server.start()
        Announcement(uri: server.uri, caFile: certificates?.caFile).write(to: writer)
        loop.run()
        let outcome = writer.finish()
        if let failure = server.failure { return .failed(.unavailable, failure) }
        switch outcome {
        case .written, .closedPipe: return .success
        case .abandoned: return .failed(.success, "Nobody reads standard output.")
        case .failed(let failure): return .failed(.outputFailed, "Standard output cannot be written: \(failure.text).")
        }
    }
}
