import GenesysLoop

/// Owns a channel and passes its events to another actor, in order.
///
/// After each 1,000 events the channel pauses until the other side has reached the mark. So the stream is never longer
/// than that, and data of the service waits in the socket.
final class Relay: NotificationChannelDelegate {
    enum Event: Sendable {
        case notification(OwnedNotification)
        case gap(Gap)
        case failure(ChannelFailure)
        case mark
    }

    private let channel: NotificationChannel
    private let stream: AsyncStream<Event>.Continuation
    private var count = 0

    init(_ uri: String, topics: [Topic], on loop: UVLoop, to stream: AsyncStream<Event>.Continuation) throws {
        self.stream = stream
        channel = try NotificationChannel(uri: uri, topics: topics, on: loop)
        channel.delegate = self
        channel.open()
    }

    func resume() { channel.resume() }
    func close() { channel.close() }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        hand(.notification(notification.copy()))
    }
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) { hand(.gap(gap)) }
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        hand(.failure(failure))
        stream.finish()
    }
    func channelDidClose(_ channel: NotificationChannel) { stream.finish() }

    private func hand(_ event: Event) {
        stream.yield(event)
        count += 1
        guard count == 1_000 else { return }
        count = 0
        channel.pause()
        stream.yield(.mark)
    }
}

/// Shows the events of a channel on the main actor, until the channel ends or the task is canceled.
@MainActor
func follow(_ uri: String, topics: [Topic], show: (Relay.Event) -> Void) async throws {
    let (events, stream) = AsyncStream.makeStream(of: Relay.Event.self)
    let thread = try LoopThread(name: "relay")
    let relay = try await thread.submit { [loop = thread.loop] in
        LoopBound(try Relay(uri, topics: topics, on: loop, to: stream), on: loop)
    }
    stream.onTermination = { reason in
        if case .cancelled = reason { relay.execute { $0.close() } }
    }
    for await event in events {
        if case .mark = event { relay.execute { $0.resume() } } else { show(event) }
    }
    await thread.shutdown()
}
