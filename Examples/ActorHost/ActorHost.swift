import Foundation
import GenesysLoop

/// Counts the notifications of each topic, with an actor that runs on the loop.
///
///     swift run actor-host URI CA-FILE COUNT TOPIC [TOPIC …]
@main
enum ActorHost {
    static func main() {
        do {
            try count()
        } catch {
            print("actor-host: \(error)")
            exit(1)
        }
    }

    private static func count() throws {
        let arguments = CommandLine.arguments
        guard arguments.count > 4, let wanted = Int(arguments[3]) else {
            print("usage: actor-host URI CA-FILE COUNT TOPIC [TOPIC …]")
            return
        }
        let loop = try UVLoop()
        let counter = TopicCounter(on: loop, wanted: wanted)
        // Any thread may call an actor; its code runs on the loop's thread.
        Task {
            for await topic in counter.firstOfTopic { print("the first of", topic) }
        }
        // The loop belongs to this thread here, so this is the actor's thread too.
        try counter.assumeIsolated { counter in
            try counter.open(arguments[1], caFile: arguments[2], topics: arguments[4...].map { Topic($0) })
        }
        loop.run()  // until the channel ended
        counter.assumeIsolated { $0.report() }
    }
}

/// The executor of this actor is the loop, so it owns a channel and calls it without waiting.
actor TopicCounter: NotificationChannelDelegate {
    /// Reports each topic once to the task that listens.
    nonisolated let firstOfTopic: AsyncStream<String>

    private let loop: UVLoop
    private let wanted: Int
    private let firsts: AsyncStream<String>.Continuation
    private var channel: NotificationChannel?
    private var count = 0
    private var countOfTopic: [Topic: Int] = [:]

    // The actor holds the loop, so it is never without its executor.
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    init(on loop: UVLoop, wanted: Int) {
        self.loop = loop
        self.wanted = wanted
        (firstOfTopic, firsts) = AsyncStream.makeStream()
    }

    func open(_ uri: String, caFile: String, topics: [Topic]) throws {
        var configuration = ChannelConfiguration()
        configuration.tls.trust = .file(caFile)
        channel = try NotificationChannel(
            uri: uri, topics: topics, on: loop, delegate: self, configuration: configuration)
        channel?.open()
    }

    // Delegate methods come on the loop's thread, which is the actor's: `assumeIsolated` holds and does not wait. The
    // borrowed notification can be passed in; `channel` cannot, so the actor uses its own.
    nonisolated func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        assumeIsolated { $0.take(notification) }
    }

    nonisolated func channel(_ channel: NotificationChannel, didMiss gap: Gap) {
        print(gap, "Read the state again by REST.")
    }

    nonisolated func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {
        print(expiry)
    }

    nonisolated func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        print(failure)
    }

    private func take(_ notification: ChannelNotification) {
        let topic = notification.topic
        if countOfTopic[Topic(topic)] == nil { firsts.yield(topic) }
        countOfTopic[Topic(topic), default: 0] += 1
        count += 1
        if count == wanted { channel?.close() }
    }

    func report() {
        for (topic, count) in countOfTopic.sorted(by: { $0.key.rawValue < $1.key.rawValue }) { print(topic, count) }
    }
}
