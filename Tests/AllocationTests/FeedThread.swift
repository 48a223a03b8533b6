import Foundation
import GenesysLoop
import GenesysSimulator
import Synchronization

/// A simulated service on a thread of its own, which publishes without pause.
final class FeedThread: Sendable {
    private struct Address: Sendable {
        let uri: String
        let caCertificatePEM: [UInt8]
        let loop: UVLoop
        let server: LoopBound<SimulatorServer>
    }

    let topics: [Topic] = (0..<10).map { Topic("v2.users.u\($0).presence") }
    private let address: Address

    var uri: String { address.uri }
    var caCertificatePEM: [UInt8] { address.caCertificatePEM }

    init(rate: Double, tls: Bool) throws {
        let promise = Promise<Address>()
        Thread.detachNewThread {
            promise.keep(Result { try FeedThread.serve(rate, tls: tls, promise) })
        }
        address = try promise.result()
    }

    /// Closes the server; its thread ends with its last connection.
    func stop() {
        let server = address.server
        address.loop.execute { server.value.close {} }
    }

    private static func serve(_ rate: Double, tls: Bool, _ promise: Promise<Address>) throws -> Address {
        let loop = try UVLoop()
        var configuration = SimulatedService.Configuration()
        configuration.publishing.rate = rate
        configuration.publishing.burstCount = 200
        let server = try SimulatorServer(on: loop, tls: tls, configuration: configuration, seed: 1)
        server.start()
        let address = Address(
            uri: try server.createChannel().uri, caCertificatePEM: tls ? server.caCertificatePEM : [], loop: loop,
            server: LoopBound(server, on: loop))
        promise.keep(.success(address))
        loop.run()
        return address
    }
}

/// One result from another thread.
private final class Promise<Value: Sendable>: Sendable {
    private let kept = Mutex<Result<Value, any Error>?>(nil)
    private let isKept = DispatchSemaphore(value: 0)

    /// The first result counts.
    func keep(_ result: Result<Value, any Error>) {
        kept.withLock { $0 = $0 ?? result }
        isKept.signal()
    }

    func result() throws -> Value {
        isKept.wait()
        guard let result = kept.withLock({ $0 }) else { preconditionFailure("a promise was signalled and not kept") }
        return try result.get()
    }
}
