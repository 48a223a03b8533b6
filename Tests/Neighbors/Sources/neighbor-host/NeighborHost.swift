import Foundation
import GenesysLoop
import GenesysSimulator
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Serves the topic of a notification over HTTP, in a file that imports SwiftNIO and Hummingbird beside the library.
///
/// No name here is qualified with its module: where two modules declare one of them, this file does not compile.
@main
enum NeighborHost {
    private static let topic: Topic = "v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.presence"

    static func main() async {
        do {
            let answer = try await relay()
            guard answer.hasPrefix("HTTP/1.1 200 OK\r\n"), answer.hasSuffix("\r\n\r\n\(topic.rawValue)") else {
                fail("Hummingbird answered:\n\(answer)")
            }
            print("neighbor-host: Hummingbird answered with the topic of the notification, \(topic.rawValue)")
            try await HealthServiceCheck.run()
            print("neighbor-host: Examples/HealthService answered, recovered, and ended in order")
        } catch let error as UVLoopError {
            fail("the system has no resource left for a loop: \(error)")
        } catch {
            fail("\(error)")
        }
    }

    private static func fail(_ text: String) -> Never {
        print("neighbor-host: \(text)")
        exit(1)
    }

    /// Receives one notification on a loop of libuv while Hummingbird, on loops of SwiftNIO, serves its topic.
    private static func relay() async throws -> String {
        let eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.any()
        let received = eventLoop.makePromise(of: String.self)
        let listening = eventLoop.makePromise(of: SocketAddress.self)
        let application = makeApplication(serving: received.futureResult, whenListening: listening)
        let services = ServiceGroup(configuration: .init(services: [application], logger: application.logger))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do { try await services.run() } catch { listening.fail(error) }
            }
            group.addTask {
                // `UVLoop.run()` blocks its thread, so it runs on one of the pool for blocking work.
                try await NIOThreadPool.singleton.runIfActive { receiveTopic(for: received) }
            }
            let answer = try await get("/topic", from: try await listening.futureResult.get())
            _ = try await received.futureResult.get()
            await services.triggerGracefulShutdown()
            return answer
        }
    }

    private static func makeApplication(
        serving topic: EventLoopFuture<String>, whenListening listening: EventLoopPromise<SocketAddress>
    ) -> Application<RouterResponder<BasicRequestContext>> {
        let router = Router()
        router.get("topic") { _, _ in try await topic.get() }
        var logger = Logger(label: "neighbor-host")
        logger.logLevel = .error
        return Application(
            router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { (channel: any Channel) in
                guard let address = channel.localAddress else {
                    return listening.fail(ChannelError.unknownLocalAddress)
                }
                listening.succeed(address)
            }, logger: logger)
    }

    /// Runs a simulator and a channel on a loop of this thread until the channel has received its first notification.
    private static func receiveTopic(for received: EventLoopPromise<String>) {
        do {
            let loop = try UVLoop()
            let server = try SimulatorServer(on: loop, seed: 1)
            server.start()
            var configuration = ChannelConfiguration()
            configuration.tls.trust = .pem(server.caCertificatePEM)
            // The channel does not keep its delegate: this reference does.
            let first = FirstNotification(received, from: server)
            let channel = try NotificationChannel(
                uri: try server.createChannel().uri, topics: [topic], on: loop, delegate: first,
                configuration: configuration)
            channel.open()
            loop.run()
        } catch {
            received.fail(error)
        }
    }

    /// The bytes of a whole response.
    static func get(_ path: String, from address: SocketAddress) async throws -> String {
        let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(to: address) { (channel: any Channel) in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await connection.executeThenClose { inbound, outbound in
            let request = "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            try await outbound.write(ByteBuffer(string: request))
            var response = ""
            for try await bytes in inbound { response += String(buffer: bytes) }
            return response
        }
    }
}

/// Hands the topic of the first notification to a promise of SwiftNIO, then ends all that is on the loop.
final class FirstNotification: NotificationChannelDelegate {
    private let received: EventLoopPromise<String>
    private let server: SimulatorServer

    init(_ received: EventLoopPromise<String>, from server: SimulatorServer) {
        self.received = received
        self.server = server
    }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        received.succeed(notification.topic)
        channel.close()
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        received.fail(failure)
        server.close()
    }

    func channelDidClose(_ channel: NotificationChannel) { server.close() }
}
