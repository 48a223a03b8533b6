import ArgumentParser
import GenesysLoop
import GenesysSimulator
import ToolSupport

/// One run as a server: loop, server, certificates and signals.
struct ServerSession {
    let port: UInt16
    /// Where the certificates are, or are to be made; nil for `ws:`.
    let folder: String?
    let configuration: EchoServer.Configuration

    func run() throws -> EchoStatus {
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

    private func serve(_ certificates: SimulatorCertificates?) throws -> EchoStatus {
        let loop = try EventLoop()
        let server = try EchoServer(on: loop, port: port, certificates: certificates, configuration: configuration)
        let bound = LoopBound(server, on: loop)
        let signals = try SignalWatch(first: { loop.execute { bound.value.close() } })
        defer { signals.end() }
        server.start()
        let status = announce(server.uri, certificates?.caFile)
        if status != nil { server.close() }
        loop.run()
        if let failure = server.failure { return .failed(.unavailable, failure) }
        return status ?? .success
    }

    /// Prints where it listens; what comes back is not nil when nobody could read it.
    private func announce(_ uri: String, _ caFile: String?) -> EchoStatus? {
        do throws(SystemCalls.Failure) {
            try Announcement(uri: uri, caFile: caFile).write()
            return nil
        } catch {
            guard !error.isClosedPipe else { return .success }
            return .failed(.outputFailed, "Standard output cannot be written: \(error).")
        }
    }
}
