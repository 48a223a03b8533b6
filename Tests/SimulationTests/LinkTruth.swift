@testable import GenesysLoop

/// What the world knows about one link, and its host cannot: what the service sent on it, and what of that is lost.
struct LinkTruth {
    private var sentCount = 0
    /// The first message that will never arrive.
    private(set) var firstLost: NetworkLink.Stamp?
    /// The pings that the service has read: when each was sent, and how many messages the service had sent before.
    private var pings: [(sentAt: VirtualTime, count: Int)] = []
    /// When the service accepted the upgrade.
    var acceptedAt: VirtualTime?

    /// The message that the host reads now.
    var stamp: NetworkLink.Stamp?
    /// The reads that the link's evidence may still name, oldest first.
    private var reads: [(instant: Instant, time: VirtualTime)] = []
    /// Until when everything has arrived, according to the evidence.
    private(set) var arrivedUntil: Instant?
    /// The host was told that unread bytes have no known arrival time.
    var isStale = false

    /// The machine made the link.
    mutating func made(at time: VirtualTime, _ now: Instant) {
        reads = [(now, time)]
        arrivedUntil = now
    }

    mutating func sent(at time: VirtualTime) -> NetworkLink.Stamp {
        defer { sentCount += 1 }
        return NetworkLink.Stamp(time: time, number: sentCount)
    }

    mutating func lost(_ stamp: NetworkLink.Stamp?) {
        if firstLost == nil { firstLost = stamp }
    }

    mutating func pingRead(sentAt time: VirtualTime) { pings.append((time, sentCount)) }

    /// How many messages the service had sent when it read the first ping since `time`; nil if it has read none.
    func sentCount(atPingSince time: VirtualTime) -> Int? {
        pings.first { $0.sentAt >= time }?.count
    }

    /// The machine got a read.
    ///
    /// - Parameter arrivedUntil: what its evidence now says.
    /// - Returns: the true time of `arrivedUntil`; nil if that has not changed.
    mutating func read(at time: VirtualTime, _ now: Instant, arrivedUntil: Instant) -> VirtualTime? {
        reads.append((now, time))
        guard arrivedUntil != self.arrivedUntil else { return nil }
        self.arrivedUntil = arrivedUntil
        reads.removeAll { $0.instant < arrivedUntil }
        return reads.first?.time
    }
}

extension NetworkLink {
    /// The first message of the service that has not arrived.
    var firstMissing: Stamp? {
        let waiting = down.first(where: { $0.arrival > takenUntil && $0.stamp != nil })?.stamp
        guard let lost = truth.firstLost else { return waiting }
        guard let waiting, waiting.number < lost.number else { return lost }
        return waiting
    }
}
