import CAllocationCounter
import GenesysLoop
import Testing

/// Counts the allocations of the receive path; nothing depends on time.
@Suite(.timeLimit(.minutes(2)), .enabled(if: allocation_counter_is_available(), "no allocations are counted here"))
struct AllocationTests {
    @Test func `the counter counts what the Swift runtime and its arrays allocate`() {
        let before = allocation_counter_value()
        var arrays: [[UInt8]] = []
        for count in 1...100 { arrays.append(Array(repeating: 1, count: count)) }
        #expect(allocation_counter_value() - before >= 100)
        #expect(arrays.count == 100)
    }

    @Test func `a notification that arrives allocates nothing, its delegate included`() throws {
        let host = AllocationHost(warmUp: 5_000, measured: 20_000)
        try run(host, tls: false)
        #expect(host.receivedCount == 25_000)
        #expect(host.topicByteCount > 0)
        #expect(host.allocationCount == 0)
    }

    @Test func `over TLS only OpenSSL allocates, once for each record`() throws {
        let host = AllocationHost(warmUp: 5_000, measured: 20_000)
        try run(host, tls: true)
        // Records are full, with notifications of about 300 bytes.
        #expect(host.allocationCount < 20_000 / 30)
    }

    @Test func `a delegate that makes a String of each notification is found out`() throws {
        let host = AllocationHost(warmUp: 5_000, measured: 20_000, makesStrings: true)
        try run(host, tls: false)
        #expect(host.allocationCount >= 20_000)
    }

    /// Runs a server on a thread of its own, and a channel on this one.
    private func run(_ host: AllocationHost, tls: Bool) throws {
        let feed = try FeedThread(rate: 100_000, tls: tls)
        defer { feed.stop() }
        let loop = try UVLoop()
        var configuration = ChannelConfiguration()
        if tls { configuration.tls.trust = .pem(feed.caCertificatePEM) }
        let channel = try NotificationChannel(
            uri: feed.uri, topics: feed.topics, on: loop, delegate: host, configuration: configuration)
        channel.open()
        loop.run()
        #expect(host.failure == nil)
    }
}

/// Reads its thread's allocation counter after a number of notifications, and again after as many more.
final class AllocationHost: NotificationChannelDelegate {
    private let warmUp: Int
    private let measured: Int
    private let makesStrings: Bool
    private var start: UInt64 = 0
    private(set) var receivedCount = 0
    private(set) var topicByteCount = 0
    private(set) var allocationCount: UInt64 = 0
    private(set) var failure: ChannelFailure?

    init(warmUp: Int, measured: Int, makesStrings: Bool = false) {
        self.warmUp = warmUp
        self.measured = measured
        self.makesStrings = makesStrings
    }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        receivedCount += 1
        topicByteCount += notification.topicBytes.count
        if makesStrings { topicByteCount += notification.topic.utf8.count }
        if receivedCount == warmUp { start = allocation_counter_value() }
        guard receivedCount == warmUp + measured else { return }
        allocationCount = allocation_counter_value() - start
        channel.close()
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) { self.failure = failure }
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}
}
