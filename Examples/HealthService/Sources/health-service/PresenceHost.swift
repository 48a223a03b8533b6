import Foundation
import GenesysLoop
import Hummingbird
import Logging

/// The presence of a user, as this service answers it.
struct Presence: ResponseEncodable, Sendable {
    let topic: String
    let presence: String
    let since: Date
}

/// The delegate of the channel, which it owns. All of it runs on the loop's thread.
final class PresenceHost: NotificationChannelDelegate {
    /// The part of a notification's body that is used.
    private struct Body: Decodable {
        struct Definition: Decodable { let systemPresence: String }
        let presenceDefinition: Definition
        let modifiedDate: Date
    }

    let channel: NotificationChannel
    private(set) var presences: [String: Presence] = [:]
    private let failure: AsyncStream<ChannelFailure>.Continuation
    private let logger = Logger(label: "notifications")

    init(
        _ uri: String, caFile: String, topics: [Topic], on loop: UVLoop,
        _ failure: AsyncStream<ChannelFailure>.Continuation
    ) throws {
        var configuration = ChannelConfiguration()
        configuration.tls.trust = .file(caFile)
        self.failure = failure
        channel = try NotificationChannel(uri: uri, topics: topics, on: loop, configuration: configuration)
        channel.delegate = self
    }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        let topic = notification.topic
        guard topic.hasSuffix(".presence") else { return }
        do {
            let body = try notification.decode(Body.self)
            presences[topic] = Presence(
                topic: topic, presence: body.presenceDefinition.systemPresence, since: body.modifiedDate)
        } catch {
            logger.warning("\(topic) is not as expected: \(error)")
        }
    }

    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {
        // What is known may be out of date. A program would read it again by REST.
        presences.removeAll()
        logger.warning("\(gap)")
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {
        // Without a `rollover(to:)` here the channel rolls over by itself.
    }

    func channel(_ channel: NotificationChannel, willReconnect attempt: ReconnectAttempt) { logger.info("\(attempt)") }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        self.failure.yield(failure)
        self.failure.finish()
    }

    func channelDidClose(_ channel: NotificationChannel) { failure.finish() }
}
