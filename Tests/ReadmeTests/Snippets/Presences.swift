import Foundation
import GenesysLoop

/// The presence of each user: read over REST, then kept current by notifications.
final class Presences: NotificationChannelDelegate {
    struct Presence: Decodable {
        struct Definition: Decodable { let systemPresence: String }
        let presenceDefinition: Definition
        let modifiedDate: Date
    }

    private(set) var ofTopic: [Topic: Presence] = [:]
    /// Starts the requests; `update` takes their answers, on the loop's thread.
    private let read: ([Topic]) -> Void

    init(read: @escaping ([Topic]) -> Void) { self.read = read }

    func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic]) { read(topics) }
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) { read(channel.topics) }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        guard let presence = try? notification.decode(Presence.self) else { return }
        update(Topic(notification.topic), presence)
    }

    /// An answer of REST, or a notification: the newer one counts.
    func update(_ topic: Topic, _ presence: Presence) {
        if let known = ofTopic[topic], known.modifiedDate > presence.modifiedDate { return }
        ofTopic[topic] = presence
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {}
}
