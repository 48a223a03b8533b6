import Foundation
import GenesysLoop

/// Counts the notifications of each topic, with a plain class as the delegate of a channel.
///
///     swift run plain-host URI CA-FILE COUNT TOPIC [TOPIC …]
@main
enum PlainHost {
    static func main() {
        do {
            try count()
        } catch {
            print("plain-host: \(error)")
            exit(1)
        }
    }

    private static func count() throws {
        let arguments = CommandLine.arguments
        guard arguments.count > 4, let wanted = Int(arguments[3]) else {
            print("usage: plain-host URI CA-FILE COUNT TOPIC [TOPIC …]")
            return
        }
        var configuration = ChannelConfiguration()
        configuration.tls.trust = .file(arguments[2])
        // The loop and everything on it belong to this thread.
        let loop = try UVLoop()
        // A channel does not retain its delegate; this reference does.
        let host = TopicCounter(wanted: wanted)
        let channel = try NotificationChannel(
            uri: arguments[1], topics: arguments[4...].map { Topic($0) }, on: loop, delegate: host,
            configuration: configuration)
        channel.open()
        loop.run()  // until the channel ended
        host.report()
    }
}

final class TopicCounter: NotificationChannelDelegate {
    private let wanted: Int
    private var count = 0
    private var countOfTopic: [Topic: Int] = [:]

    init(wanted: Int) { self.wanted = wanted }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        countOfTopic[Topic(notification.topic), default: 0] += 1
        count += 1
        // Every call is legal in every delegate method. After this one only `channelDidClose` follows.
        if count == wanted { channel.close() }
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {
        // Without a `rollover(to:)` here the channel rolls over by itself.
        print(expiry)
    }

    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {
        print(gap, "Read the state again by REST.")
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        print(failure)
    }

    func report() {
        for (topic, count) in countOfTopic.sorted(by: { $0.key.rawValue < $1.key.rawValue }) { print(topic, count) }
    }
}
