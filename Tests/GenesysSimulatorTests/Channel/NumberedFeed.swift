import GenesysLoop
import GenesysSimulator

/// Publishes numbered notifications at a steady rate, to each topic in turn, and records the times.
final class NumberedFeed: TimerOwner {
    let server: SimulatorServer
    let topics: [Topic]
    private let rate: Int
    private let start: Instant
    private var timer: GenesysLoop.Timer?
    /// When each number was published; number 0 first.
    private(set) var publishedAt: [WallTime] = []
    /// Performed at their time, in this order.
    private var appointments: [(due: Instant, act: () -> Void)] = []

    init(_ server: SimulatorServer, topics: [Topic], rate: Int) {
        self.server = server
        self.topics = topics
        self.rate = rate
        start = server.loop.now.instant
        let timer = GenesysLoop.Timer(loop: server.loop, group: HandleGroup(loop: server.loop))
        unsafe timer.owner = self
        self.timer = timer
        arm()
    }

    deinit { stop() }

    func stop() {
        timer?.close()
        timer = nil
        appointments = []
    }

    /// Calls `act` a while from now.
    func after(_ delay: Duration, _ act: @escaping () -> Void) {
        appointments.append((server.loop.now.instant + delay, act))
    }

    /// A message that is identical when it is published twice.
    static func message(_ body: String, topic: Topic) -> [UInt8] {
        Array(#"{"topicName":"\#(topic.rawValue)","version":"2","eventBody":\#(body)}"#.utf8)
    }

    private func arm() {
        timer?.start(at: server.loop.now.instant + .milliseconds(1))
    }

    func timerDidFire(_ timer: GenesysLoop.Timer) {
        let now = server.loop.now
        let wanted = Int((now.instant - start).wholeNanoseconds / 1_000) * rate / 1_000_000
        while publishedAt.count < wanted {
            let number = publishedAt.count
            let topic = topics[number % topics.count]
            publishedAt.append(server.loop.now.wall)
            server.publish(NumberedFeed.message(#"{"n":\#(number)}"#, topic: topic), to: topic)
        }
        let due = appointments.filter { $0.due <= now.instant }
        appointments.removeAll { $0.due <= now.instant }
        for appointment in due { appointment.act() }
        arm()
    }
}

/// Checks the notifications of a `NumberedFeed` as they arrive.
final class NumberedHost: NotificationChannelDelegate {
    private let topicCount: Int
    private(set) var received: [Bool] = []
    private(set) var firstNumber: Int?
    private(set) var lastNumber = -1
    private(set) var repeatedCount = 0
    private(set) var disorderCount = 0
    private(set) var repeats: [Int: Int] = [:]
    private(set) var gaps: [Gap] = []
    private(set) var recoveries: [Recovery.Method] = []
    private(set) var failure: ChannelFailure?
    private(set) var otherEvents: [String] = []
    private var lastOfTopic: [Int]
    var didReceiveRepeat: () -> Void = {}
    var didRecover: (NotificationChannel) -> Void = { _ in }
    var didSubscribe: (NotificationChannel) -> Void = { _ in }
    var didEnd: () -> Void = {}

    init(topicCount: Int) {
        self.topicCount = topicCount
        lastOfTopic = Array(repeating: -1, count: topicCount)
    }

    func forget() {
        didReceiveRepeat = {}
        didRecover = { _ in }
        didSubscribe = { _ in }
        didEnd = {}
    }

    /// Numbers between the first and the last received that never arrived.
    var missing: [Int] {
        guard let firstNumber else { return [] }
        return (firstNumber...lastNumber).filter { !received[$0] }
    }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        let body = notification.body
        // {"n":123} or {"r":123}
        var number = 0
        for index in 5..<(body.count - 1) { number = number * 10 + Int(body[index] - 0x30) }
        guard body[2] == UInt8(ascii: "n") else {
            repeats[number, default: 0] += 1
            return didReceiveRepeat()
        }
        while received.count <= number { received.append(false) }
        if received[number] { repeatedCount += 1 }
        received[number] = true
        if firstNumber == nil { firstNumber = number }
        lastNumber = max(lastNumber, number)
        if lastOfTopic[number % topicCount] >= number { disorderCount += 1 }
        lastOfTopic[number % topicCount] = number
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        self.failure = failure
        didEnd()
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic]) { didSubscribe(channel) }
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) { gaps.append(gap) }

    func channel(_ channel: NotificationChannel, didRecover recovery: Recovery) {
        recoveries.append(recovery.method)
        didRecover(channel)
    }

    func channel(_ channel: NotificationChannel, didFailRollover failure: ChannelFailure) {
        otherEvents.append("\(failure)")
    }
    func channel(_ channel: NotificationChannel, didReject topics: RejectedTopics) { otherEvents.append("rejected") }
    func channel(_ channel: NotificationChannel, didDiscard message: DiscardedMessage) {
        otherEvents.append("discarded")
    }
    func channelDidClose(_ channel: NotificationChannel) { didEnd() }
}
