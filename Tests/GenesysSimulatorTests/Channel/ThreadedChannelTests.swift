import GenesysLoop
import GenesysSimulator
import Synchronization
import Testing

/// A channel on a `LoopThread`, with a simulator on another one, and a host that leaves inside a delegate method.
@Suite(.timeLimit(.minutes(patience(1)))) struct ThreadedChannelTests {
    /// Where the host leaves.
    enum Place: CaseIterable, Sendable {
        case didSubscribe, didReceive, willExpire, didMiss, didClose
    }

    @Test(arguments: Place.allCases)
    func `shutdown inside a delegate method closes the channel, and the thread ends`(_ place: Place) async throws {
        let simulator = try LoopThread(name: "simulator")
        let server = try await simulator.submit {
            var configuration = SimulatedService.Configuration()
            configuration.publishing.rate = 500
            let server = try SimulatorServer(on: simulator.loop, tls: false, configuration: configuration, seed: 1)
            server.start()
            return LoopBound(server, on: simulator.loop)
        }
        let uri = try await simulator.submit { try server.value.createChannel().uri }
        let thread = try LoopThread(name: "channel")
        let host = LeavingHost(place, thread)
        try await thread.submit {
            let channel = try NotificationChannel(uri: uri, topics: ["v2.a"], on: thread.loop, delegate: host)
            channel.open()
        }
        for await hint in host.hints {
            switch hint {
            case .provoke:
                server.execute { place == .didMiss ? $0.disconnect() : $0.announceMaintenance() }
            case .left:
                host.finish()
            }
        }
        await thread.shutdown()
        #expect(host.endCount == 1)
        #expect(host.submitted == 7, "submit on the loop's own thread ran the block at once")
        await #expect(throws: UVLoopError.ended) { try await thread.submit {} }
        await simulator.shutdown()
    }
}

/// Shuts its loop's thread down in one of its methods.
private final class LeavingHost: NotificationChannelDelegate, Sendable {
    enum Hint: Sendable {
        /// The service should cause what the host waits for.
        case provoke
        case left
    }

    let hints: AsyncStream<Hint>
    private let hint: AsyncStream<Hint>.Continuation
    private let place: ThreadedChannelTests.Place
    private let thread: LoopThread
    private let ends = Atomic<Int>(0)
    private let value = Atomic<Int>(0)

    init(_ place: ThreadedChannelTests.Place, _ thread: LoopThread) {
        (hints, hint) = AsyncStream.makeStream()
        (self.place, self.thread) = (place, thread)
    }

    var endCount: Int { ends.load(ordering: .acquiring) }
    var submitted: Int { value.load(ordering: .acquiring) }
    func finish() { hint.finish() }

    private func leave(at here: ThreadedChannelTests.Place) {
        guard here == place else { return }
        value.store((try? thread.submit { 7 }) ?? 0, ordering: .releasing)
        thread.shutdown()
        thread.shutdown()
        hint.yield(.left)
    }

    func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic]) {
        leave(at: .didSubscribe)
        switch place {
        case .willExpire, .didMiss: hint.yield(.provoke)
        case .didClose: channel.close()
        case .didSubscribe, .didReceive: break
        }
    }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        leave(at: .didReceive)
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) { leave(at: .willExpire) }
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) { leave(at: .didMiss) }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        Issue.record(failure)
        ends.add(1, ordering: .releasing)
        hint.finish()
    }

    func channelDidClose(_ channel: NotificationChannel) {
        leave(at: .didClose)
        ends.add(1, ordering: .releasing)
    }
}
