import GenesysLoop

final class Host: NotificationChannelDelegate {
    struct Presence: Decodable {
        struct Definition: Decodable { let systemPresence: String }
        let presenceDefinition: Definition
    }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        guard notification.topic.hasSuffix(".presence") else { return }
        do {
            let presence = try notification.decode(Presence.self)
            print(notification.topic, presence.presenceDefinition.systemPresence)
        } catch {
            print("not a presence:", error)
        }
    }

    func channel(_ channel: NotificationChannel, didMiss gap: Gap) { print(gap, "Read the state again by REST.") }
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) { print(expiry) }
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) { print(failure) }
}

func listen(to uri: String, topics: [Topic]) throws {
    let loop = try UVLoop()
    let host = Host()
    let channel = try NotificationChannel(uri: uri, topics: topics, on: loop, delegate: host)
    channel.open()
    loop.run()  // until the channel ended
}
