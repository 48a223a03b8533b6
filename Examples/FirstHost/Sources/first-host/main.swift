import Foundation
import GenesysLoop

final class Host: NotificationChannelDelegate {
    struct Presence: Decodable {
        struct Definition: Decodable { let systemPresence: String }
        let presenceDefinition: Definition
        let modifiedDate: Date
    }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        do {
            let presence = try notification.decode(Presence.self)
            print(notification.topic, presence.presenceDefinition.systemPresence, presence.modifiedDate)
        } catch {
            print("not a presence:", error)
        }
    }

    func channel(_ channel: NotificationChannel, didMiss gap: Gap) { print(gap, "Read the state again over REST.") }
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) { print(expiry) }
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) { print(failure) }
}

var configuration = ChannelConfiguration()
configuration.tls.trust = .file(CommandLine.arguments[2])  // default: the system's store

let loop = try UVLoop()
let host = Host()  // keep it: a channel holds its delegate weakly
let channel = try NotificationChannel(
    uri: CommandLine.arguments[1], topics: ["v2.users.ID.presence"], on: loop, delegate: host,
    configuration: configuration)
channel.open()
loop.run()  // until the channel has ended
