import ArgumentParser
import GenesysLoop
import ToolSupport

/// One run as a client: loop, client and signals.
struct ClientSession {
    let uri: String
    let configuration: WebSocketClientConfiguration
    /// The certificates to trust, if the command line names them.
    let caFile: String?

    func run() throws -> ExitStatus {
        var configuration = configuration
        if let caFile { configuration.tls.trust = .contents(try read(caFile), ofFile: caFile) }
        let loop: UVLoop
        do {
            loop = try UVLoop()
        } catch {
            return .failed(.unavailable, "The program cannot start: \(error)")
        }
        let host = EchoClientHost()
        let client: WebSocketClient
        do {
            client = try WebSocketClient(uri: uri, on: loop, delegate: host, configuration: configuration)
        } catch let failure as WebSocketFailure {
            // Errors of the command line are wrong usage; the system's own store is not part of it.
            guard failure.reason == .invalidURI || caFile != nil else { return .failed(.unavailable, failure) }
            throw ValidationError(failure.description)
        }
        let bound = LoopBound(client, on: loop)
        let signals: SignalWatch
        do throws(SystemCalls.Failure) {
            signals = try SignalWatch(first: { bound.execute { $0.close() } })
        } catch {
            return .failed(.unavailable, "The program cannot start: \(error)")
        }
        defer { signals.end() }
        client.open()
        loop.run()
        return host.end()
    }

    /// It is read even without TLS, although the client then never uses it.
    private func read(_ caFile: String) throws -> [UInt8] {
        do throws(SystemCalls.Failure) {
            return try SystemCalls.read(caFile, maxByteCount: InputFiles.maxByteCount)
        } catch  where error.isDescriptorShortage {
            throw ExitCode(ExitStatus.failed(.unavailable, "The program cannot start: \(error)").rawValue)
        } catch {
            throw ValidationError("The CA file “\(caFile)” cannot be read: \(error.text).")
        }
    }
}
