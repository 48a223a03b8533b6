import GenesysSimulator
import Testing

@testable import GenesysLoop
@testable import GenesysPlatform

/// A group on the loop of a `PlatformStage`, numbered notifications for its topics, and what the delegate was told.
final class GroupStage: ChannelGroupDelegate {
    let base: PlatformStage
    private(set) var log: [String] = []
    private(set) var rejections: [RejectedTopics.Rejection] = []
    private(set) var failure: ChannelFailure?
    private(set) var counts: [ChannelCount] = []
    private(set) var gaps: [Gap] = []
    /// Called after each entry of `log`.
    var didLog: (GroupStage, String) -> Void = { _, _ in }

    /// The topics to which numbered notifications are published, each in turn.
    private var published: [Topic] = []
    private(set) var publishedCount = 0
    private var isReceived: [Bool] = []
    private(set) var receivedCount = 0
    private(set) var repeatCount = 0
    private(set) var disorderCount = 0
    private var lastOfTopic: [Int] = []

    init(configure: (inout SimulatedService.Configuration) -> Void = { _ in }) throws {
        base = try PlatformStage { configuration in
            configuration.publishing.rate = 0
            configuration.rates.creationsPerMinute = 600
            configuration.rates.requestsPerMinute = 6_000
            configure(&configuration)
        }
    }

    var loop: UVLoop { base.loop }
    var server: SimulatorServer { base.server }

    static func topics(_ count: Int) -> [Topic] { (0..<count).map { Topic("v2.users.\($0).presence") } }

    func makeGroup(
        _ topics: [Topic], keepsSparePlace: Bool = true, change: (inout ChannelConfiguration) -> Void = { _ in }
    ) throws -> ChannelGroup {
        var configuration = ChannelConfiguration()
        configuration.tls = base.trust
        var backoff = ReconnectPolicy.Backoff()
        backoff.initialTotal = .seconds(60)
        backoff.base = .milliseconds(1)
        configuration.reconnect = .backoff(backoff)
        change(&configuration)
        let platform = try base.platform ?? base.makePlatform()
        return try ChannelGroup(
            topics: topics, on: platform, delegate: self, configuration: configuration,
            keepsSparePlace: keepsSparePlace)
    }

    // MARK: - Time

    func run(rounds limit: Int = 60_000, until isSo: () -> Bool) throws {
        var rounds = 0
        while !isSo(), rounds < limit {
            publish()
            loop.run(for: .milliseconds(1))
            rounds += 1
        }
        try #require(isSo(), "the condition never held: \(log.suffix(40))")
    }

    func run(untilLogged text: String, count: Int = 1) throws {
        try run { log.count { $0.hasPrefix(text) } >= count }
    }

    /// Nothing may be left on the loop when group and server are closed.
    func leave() { base.leave() }

    // MARK: - Notifications

    /// Publishes to these topics from now on, one notification in each round.
    func publish(to topics: [Topic]) {
        published = topics
        lastOfTopic = Array(repeating: -1, count: topics.count)
    }

    private func publish() {
        guard !published.isEmpty else { return }
        let topic = published[publishedCount % published.count]
        let message = #"{"topicName":"\#(topic.rawValue)","version":"2","eventBody":{"n":\#(publishedCount)}}"#
        publishedCount += 1
        server.publish(Array(message.utf8), to: topic)
    }

    /// Stops publishing, and waits for what is under way.
    func expectEverything() throws {
        published = []
        let wanted = publishedCount
        var rounds = 0
        try run {
            rounds += 1
            return receivedCount >= wanted || rounds > 2_000
        }
        let missing = (0..<wanted).filter { $0 >= isReceived.count || !isReceived[$0] }
        #expect(missing == [] && repeatCount == 0 && disorderCount == 0)
    }

    // MARK: - Delegate

    private func add(_ entry: String) {
        log.append(entry)
        didLog(self, entry)
    }

    func group(_ group: ChannelGroup, didReceive notification: ChannelNotification, on shard: Int) {
        let body = notification.body
        var number = 0
        for index in 5..<(body.count - 1) { number = number * 10 + Int(body[index] - 0x30) }
        while isReceived.count <= number { isReceived.append(false) }
        if isReceived[number] { repeatCount += 1 } else { receivedCount += 1 }
        isReceived[number] = true
        guard !lastOfTopic.isEmpty else { return }
        let topic = number % lastOfTopic.count
        if lastOfTopic[topic] >= number { disorderCount += 1 }
        lastOfTopic[topic] = number
    }
    func group(_ group: ChannelGroup, didFail failure: ChannelFailure) {
        self.failure = failure
        add("failed \(failure.phase) \(failure.reason)")
    }
    func group(_ group: ChannelGroup, didMiss gap: Gap, on shard: Int) {
        gaps.append(gap)
        add("gap \(shard) \(gap.reason)")
    }
    func group(_ group: ChannelGroup, willExpire expiry: Expiry, on shard: Int) { add("expires \(shard)") }
    func group(_ group: ChannelGroup, didChange state: ChannelState) { add("\(state)") }
    func group(_ group: ChannelGroup, didChange state: ChannelState, of shard: Int) { add("state \(shard) \(state)") }
    func group(_ group: ChannelGroup, didSubscribe topics: [Topic], on shard: Int) {
        add("didSubscribe \(shard) \(topics.count)")
    }
    func group(_ group: ChannelGroup, willReconnect attempt: ReconnectAttempt, on shard: Int) {
        add("reconnecting \(shard) \(attempt.reason)")
    }
    func group(_ group: ChannelGroup, didFailRollover failure: ChannelFailure, on shard: Int) {
        add("move failed \(shard) \(failure)")
    }
    func group(_ group: ChannelGroup, didReject topics: RejectedTopics, on shard: Int) {
        rejections += topics.rejections
        add("rejected \(shard) \(topics.topics)")
    }
    func group(_ group: ChannelGroup, didDiscard message: DiscardedMessage, on shard: Int) { add("discarded") }
    func group(_ group: ChannelGroup, didRecover recovery: Recovery, on shard: Int) {
        add("recovered \(shard) \(recovery.method)")
    }
    func group(_ group: ChannelGroup, didMake count: ChannelCount, on shard: Int) {
        counts.append(count)
        add("made \(shard)")
    }
    func group(_ group: ChannelGroup, didLoseChannel reason: FailureReason, on shard: Int) {
        add("gone \(shard) \(reason)")
    }
    func group(_ group: ChannelGroup, didEnd shard: Int, failure: ChannelFailure?) {
        add("ended \(shard) \(failure.map { "\($0.reason)" } ?? "closed")")
    }
    func group(_ group: ChannelGroup, didCount count: ChannelCount) {
        add("counted \(count.ours) \(count.all ?? -1)")
    }
    func groupDidClose(_ group: ChannelGroup) { add("closed") }
}
