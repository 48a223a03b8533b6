import GenesysLoop
import Testing

@testable import genesys_loop

/// A `MetricsServer` on a thread of its own.
final class MetricsStage {
    let port: UInt16
    /// What `/metrics` serves.
    let text = Locked("# no metrics\n")
    /// Why it is not ready.
    let obstacle = Locked<String?>(nil)
    /// How often `/metrics` was rendered.
    let renderCount = Locked(0)
    private let thread: LoopThread
    private let server: LoopBound<MetricsServer>

    init(_ limits: MetricsLimits = MetricsLimits()) throws {
        let thread = try LoopThread(name: "metrics")
        self.thread = thread
        let (text, obstacle, renderCount) = (text, obstacle, renderCount)
        server = try thread.submit {
            let content = MetricsContent(
                metrics: {
                    renderCount.withLock { $0 += 1 }
                    return Array(text.withLock { $0 }.utf8)
                },
                obstacle: { obstacle.withLock { $0 } })
            let server = try MetricsServer(
                on: thread.loop, at: MetricsAddress(":0"), content: content, log: EventLog(style: .json),
                limits: limits)
            return LoopBound(server, on: thread.loop)
        }
        let server = self.server
        port = try thread.submit { server.value.address.port }
    }

    /// Runs `body` with the server on its thread.
    func perform<T: Sendable>(_ body: @escaping @Sendable (MetricsServer) throws -> T) throws -> T {
        let server = self.server
        return try thread.submit { try body(server.value) }
    }

    func connect(receiveByteCount: Int32? = nil) throws -> HTTPSocket {
        try HTTPSocket(port, receiveByteCount: receiveByteCount)
    }

    func get(_ path: String) -> HTTPSocket.Answer? {
        HTTPSocket.get(path, port: port)
    }

    deinit {
        server.execute { $0.close() }
        thread.shutdown()
    }
}
