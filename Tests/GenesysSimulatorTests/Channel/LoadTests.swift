import GenesysLoop
import GenesysSimulator
import Testing

/// Real sockets, real TLS, 5,000 notifications a second over 50 topics.
@Suite(.timeLimit(.minutes(patience(3))), .serialized) struct LoadTests {
    static let topics = (0..<50).map { Topic("v2.users.u\($0).presence") }

    /// A simulator without a feed of its own, a feed of numbers, and one channel.
    private func run(
        _ host: NumberedHost, configure: (inout ChannelConfiguration) -> Void = { _ in },
        _ arrange: (NumberedFeed) -> Void
    ) throws -> NumberedFeed {
        let playground = try Playground {
            $0.publishing.rate = 0
            // Long enough for a slow machine: the old socket ends with the new one anyway.
            $0.endings.maintenanceLead = .seconds(30)
        }
        let server = playground.server
        let feed = NumberedFeed(server, topics: Self.topics, rate: 5_000)
        var configuration = ChannelConfiguration()
        configuration.tls.trust = .pem(server.caCertificatePEM)
        configure(&configuration)
        let channel = try NotificationChannel(
            uri: try server.createChannel().uri, topics: Self.topics, on: playground.loop, delegate: host,
            configuration: configuration)
        host.didEnd = {
            feed.stop()
            server.close {}
        }
        arrange(feed)
        channel.open()
        playground.loop.run()
        host.forget()
        return feed
    }

    @Test func `twenty maintenance rollovers under load lose, repeat and reorder nothing`() throws {
        let host = NumberedHost(topicCount: 50)
        _ = try run(host) { feed in
            let server = feed.server
            host.didSubscribe = { _ in server.announceMaintenance(.all) }
            host.didRecover = { channel in
                let count = host.recoveries.count
                // Two genuine repeats on one socket, 100 ms apart; then the next notice.
                let message = NumberedFeed.message(#"{"r":\#(count)}"#, topic: Self.topics[count])
                server.publish(message, to: Self.topics[count])
                feed.after(.milliseconds(100)) { server.publish(message, to: Self.topics[count]) }
                if count < 20 { feed.after(.milliseconds(150)) { server.announceMaintenance(.all) } }
                host.didReceiveRepeat = { if host.repeats[20] == 2 { channel.close() } }
            }
        }
        #expect(host.recoveries == Array(repeating: .rollover, count: 20))
        #expect(host.missing == [])
        #expect(host.repeatedCount == 0)
        #expect(host.disorderCount == 0)
        #expect(host.gaps == [])
        #expect(host.otherEvents == [])
        #expect(host.repeats == Dictionary(uniqueKeysWithValues: (1...20).map { ($0, 2) }))
        #expect(host.failure == nil)
        #expect(host.lastNumber > 5_000)
    }

    @Test func `after twenty resets under load every number that is missing lies in a reported gap`() throws {
        let host = NumberedHost(topicCount: 50)
        let feed = try run(host) {
            var backoff = ReconnectPolicy.Backoff()
            backoff.floor = .milliseconds(30)
            backoff.cap = .milliseconds(60)
            $0.reconnect = .backoff(backoff)
        } _: { feed in
            let server = feed.server
            host.didSubscribe = { _ in feed.after(.milliseconds(100)) { server.disconnect(.all, .reset) } }
            host.didRecover = { channel in
                feed.after(.milliseconds(60)) {
                    if host.recoveries.count < 20 { server.disconnect(.all, .reset) } else { channel.close() }
                }
            }
        }
        #expect(host.recoveries == Array(repeating: .reconnect, count: 20))
        #expect(host.gaps.count == 20)
        #expect(host.repeatedCount == 0)
        #expect(host.disorderCount == 0)
        #expect(host.failure == nil)
        let missing = host.missing
        #expect(missing.count > 500, "a reset under load loses something")
        let unreported = missing.filter { number in
            !host.gaps.contains { $0.from <= feed.publishedAt[number] && feed.publishedAt[number] <= $0.to }
        }
        #expect(unreported == [])
    }
}
