public import GenesysLoop

// Notifications: routing and the feed. Protocol: delivery, combined topics.
extension SimulatedService {
    /// Sends a message unchanged to every channel that has the topic.
    ///
    /// - Parameters:
    ///   - topic: a single topic; combined subscriptions match by expansion.
    ///   - message: the whole message; its `topicName` is not compared.
    ///   - now: the time since the driver's origin.
    public mutating func publish(_ message: [UInt8], to topic: Topic, now: Duration) -> [Action] {
        advance(to: now)
        var actions: [Action] = []
        deliver(message, to: topic, into: &actions)
        return actions
    }

    /// Sends a notification with this body and a fresh correlation id to every channel that has the topic.
    ///
    /// - Parameters:
    ///   - eventBody: one JSON value.
    ///   - topic: a single topic.
    ///   - now: the time since the driver's origin.
    public mutating func publish(eventBody: [UInt8], to topic: Topic, now: Duration) -> [Action] {
        let message = ServiceMessage.notification(
            topic: topic, eventBody: eventBody, correlationID: SampleFeed.makeUUID(using: &generator))
        return publish(message, to: topic, now: now)
    }

    /// Sends to both sockets of an overlap or only to the newer one, but never to a socket of a channel without the
    /// topic.
    private mutating func deliver(_ message: [UInt8], to topic: Topic, into actions: inout [Action]) {
        guard configuration.publishing.delivers else { return }
        refreshRoster()
        for channel in roster.audience[topic] ?? [] where isLive(channel) {
            let open = channels[channel].sockets
            for socket in configuration.publishing.newestSocketOnly ? open.suffix(1) : open[...] {
                actions.append(.send(socket, message))
            }
        }
    }

    /// Publishes one notification of the first of these topics, for a reply that must follow data.
    mutating func publishFirst(of names: [String], into actions: inout [Action]) {
        guard let topic = names.first.flatMap({ Topic(rawValue: $0).expanded.first }) else { return }
        deliver(nextMessage(for: topic), to: topic, into: &actions)
    }

    private mutating func nextMessage(for topic: Topic) -> [UInt8] {
        feed.next(for: topic, minByteCount: configuration.publishing.minByteCount, using: &generator)
    }

    // MARK: The feed

    /// The rate of the feed once a client listens.
    var wantedRate: Double {
        let publishing = configuration.publishing
        guard publishing.delivers, publishing.rate.isFinite, publishing.rate > 0 else { return 0 }
        return min(publishing.rate, 1_000_000)
    }

    var hasAudience: Bool {
        channels.contains { $0.hasAudience }
    }

    /// Starts or stops the feed as the configuration and the sockets require.
    mutating func settleSchedule(now: Duration) {
        let wanted = wantedRate
        guard schedule.rate != wanted else { return }
        if wanted > 0, hasAudience {
            schedule.start(rate: wanted, burstCount: configuration.publishing.burstCount, now: now)
        } else {
            schedule.stop()
        }
    }

    mutating func publishNext(now: Duration, into actions: inout [Action]) {
        refreshRoster()
        let publishing = configuration.publishing
        for _ in 0..<max(1, publishing.burstCount) {
            guard let topic = roster.next(shuffled: publishing.shufflesTopics, using: &generator) else {
                return schedule.stop()
            }
            let message = nextMessage(for: topic)
            deliver(message, to: topic, into: &actions)
            if publishing.repeatFraction > 0, Double.random(in: 0..<1, using: &generator) < publishing.repeatFraction {
                deliver(message, to: topic, into: &actions)
            }
        }
        schedule.published(count: publishing.burstCount, now: now)
    }

    private mutating func refreshRoster() {
        guard rosterIsStale else { return }
        rosterIsStale = false
        roster.replace(with: channels, except: configuration.channels.forbiddenTopics)
    }
}
