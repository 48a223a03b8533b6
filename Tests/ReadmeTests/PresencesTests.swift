import Foundation
import GenesysLoop
import GenesysSimulator
import Testing

extension PageCodeTests {
    @Suite struct PresencesTests {
        private static let topic: Topic = "v2.users.ID.presence"

        @Test func `the state is read after the subscription and after a gap`() throws {
            let loop = try UVLoop()
            let server = try SimulatorServer(on: loop, tls: false, seed: 1)
            server.start()
            var requests: [[Topic]] = []
            let presences = Presences { topics in
                requests.append(topics)
                if requests.count == 1 { server.disconnect() } else { loop.closeAll() }
            }
            let channel = try NotificationChannel(
                uri: try server.createChannel().uri, topics: [Self.topic], on: loop, delegate: presences)
            channel.open()
            loop.run(for: .seconds(60))
            #expect(requests == [[Self.topic], [Self.topic]])
        }

        @Test func `an answer that is older than a notification is ignored`() throws {
            let channel = try NotificationChannel(uri: "ws://localhost/", topics: [Self.topic], on: UVLoop())
            let presences = Presences { _ in Issue.record("nothing is read here") }
            let body = #"{"presenceDefinition":{"systemPresence":"BUSY"},"modifiedDate":"2026-05-14T09:03:17.047Z"}"#
            let notification = try OwnedNotification(topic: Self.topic, body: body)
            presences.channel(channel, didReceive: notification.borrowed)
            let older = Presences.Presence(
                presenceDefinition: .init(systemPresence: "AWAY"), modifiedDate: Date(timeIntervalSince1970: 0))
            presences.update(Self.topic, older)
            #expect(presences.ofTopic[Self.topic]?.presenceDefinition.systemPresence == "BUSY")
        }
    }
}
