import ArgumentParser
import GenesysLoop
import ToolSupport

/// One run as a client: loop, client and signals.
struct ClientSession {
    let uri: String
    let configuration: WebSocketClientConfiguration
    /// The certificates to trust, where they come from the command line.
    let caFile: String?

    /// A larger one is another file, given by mistake.
    private static let maxCAFileByteCount = 16 * 1_024 * 1_024

    func run() throws -> EchoStatus {
        try checkCAFile()
        let loop: EventLoop
        do {
            loop = try EventLoop()
        } catch {
            return .failed(.unavailable, "The program cannot start: \(error)")
        }
        let host = EchoClientHost()
        let client: WebSocketClient
        do {
            client = try WebSocketClient(uri: uri, on: loop, delegate: host, configuration: configuration)
        } catch let failure as WebSocketFailure {
            // What is wrong with the command line is wrong usage; the system's own store is not on it.
            guard failure.reason == .invalidURI || caFile != nil else { return .failed(.unavailable, failure) }
            throw ValidationError(failure.description)
        }
        let bound = LoopBound(client, on: loop)
        let signals: SignalWatch
        do throws(SystemCalls.Failure) {
            signals = try SignalWatch(first: { loop.execute { bound.value.close() } })
        } catch {
            return .failed(.unavailable, "The program cannot start: \(error)")
        }
        defer { signals.end() }
        client.open()
        loop.run()
        return host.end()
    }

    /// Without TLS the client would never look at it.
    private func checkCAFile() throws {
        guard let caFile else { return }
        do throws(SystemCalls.Failure) {
            _ = try SystemCalls.read(caFile, maxByteCount: Self.maxCAFileByteCount)
        } catch {
            throw ValidationError("The CA file \(caFile) cannot be read: \(error).")
        }
    }
}
