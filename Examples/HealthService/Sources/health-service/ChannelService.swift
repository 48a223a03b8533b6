import GenesysLoop
import ServiceLifecycle

/// A channel as a service: it runs until the channel ends by itself, or until the program is to end.
final class ChannelService: Service {
    private let thread: LoopThread
    private let host: LoopBound<PresenceHost>
    private let failures: AsyncStream<ChannelFailure>

    init(_ uri: String, caFile: String, topics: [Topic]) async throws {
        let (failures, failure) = AsyncStream.makeStream(of: ChannelFailure.self)
        let thread = try LoopThread(name: "notifications")
        host = try await thread.submit { [loop = thread.loop] in
            LoopBound(try PresenceHost(uri, caFile: caFile, topics: topics, on: loop, failure), on: loop)
        }
        self.failures = failures
        self.thread = thread
    }

    func run() async throws {
        host.execute { $0.channel.open() }
        let failure = await withGracefulShutdownHandler {
            await failures.reduce(nil) { $1 }
        } onGracefulShutdown: { [host] in
            host.execute { $0.channel.close() }
        }
        // Also where another service failed and this task was canceled: then the channel is closed here.
        await thread.shutdown()
        if let failure { throw failure }
    }

    /// What the channel is doing; the state belongs to the loop's thread.
    func state() async -> ChannelState {
        (try? await thread.submit { [host] in host.value.channel.state }) ?? .ended
    }

    /// The last presence of each user.
    func presences() async throws -> [Presence] {
        try await thread.submit { [host] in host.value.presences.values.sorted { $0.topic < $1.topic } }
    }
}
