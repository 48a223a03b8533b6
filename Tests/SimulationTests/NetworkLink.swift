import GenesysSimulator

@testable import GenesysLoop

/// One connection between a host and the service: two ordered queues of packets with arrival times.
///
/// It simulates the visible part of the library's `Link`: the deadlines of connecting and closing, and that nothing,
/// not even the end, is read while reading is paused.
final class NetworkLink {
    enum Phase: Equatable { case connecting, open, closing, retired, gone }

    /// What the host can read.
    enum Down {
        case accepted
        case message([UInt8])
        case binary([UInt8])
        case close(UInt16)
        /// An end without a Close frame, or a refusal.
        case end(LinkEnd)
    }

    /// What the service can read.
    enum Up {
        case upgrade
        case text([UInt8])
        case close
        case gone
    }

    struct Packet<Content> {
        let arrival: VirtualTime
        let sentAt: VirtualTime
        let content: Content
        /// For a message of the service.
        var stamp: Stamp?
    }

    /// When the service sent a message, and how many it had sent on the link before.
    struct Stamp {
        let time: VirtualTime
        let number: Int
    }

    let id: LinkID
    let host: Int
    let target: String
    var phase = Phase.connecting
    /// When to give up connecting or closing, on the host's monotonic clock.
    var deadline: Instant?
    var isPaused = false
    var socket: SimulatedService.SocketID?

    var down = Queue<Packet<Down>>()
    var up = Queue<Packet<Up>>()
    let latency: VirtualTime
    let jitter: Int
    var random: SplitMix64
    /// Nothing arrives before this time: the path is stalled.
    var stalledUntil: VirtualTime = 0
    var isDownLost = false
    var isUpLost = false
    /// The host has taken everything that arrived until this time, although it has not processed it yet.
    var takenUntil: VirtualTime = -1
    /// When the service closed it.
    var closedAt: VirtualTime?
    /// The time from which nothing more can arrive.
    var darkSince: VirtualTime?
    var lastReadAt: VirtualTime = 0
    var truth = LinkTruth()
    private var lastDown: VirtualTime = 0
    private var lastUp: VirtualTime = 0

    init(id: LinkID, host: Int, target: String, latency: VirtualTime, jitter: Int, random: SplitMix64) {
        self.id = id
        self.host = host
        self.target = target
        self.latency = latency
        self.jitter = jitter
        self.random = random
    }

    var isOver: Bool { phase == .gone && up.isEmpty }

    /// When the host can read next; never if there is nothing to read or reading is paused.
    var readableAt: VirtualTime {
        guard !isPaused, phase != .gone, let packet = down.first else { return .never }
        return packet.arrival
    }

    func sendDown(_ content: Down, at now: VirtualTime) {
        let stamp = content.isHeard ? truth.sent(at: now) : nil
        guard !isDownLost else { return truth.lost(stamp) }
        lastDown = max(lastDown, now + latency + VirtualTime(random.below(jitter)), stalledUntil)
        down.append(Packet(arrival: lastDown, sentAt: now, content: content, stamp: stamp))
    }

    func sendUp(_ content: Up, at now: VirtualTime, extra: VirtualTime = 0) {
        guard !isUpLost else { return }
        lastUp = max(lastUp, now + latency + VirtualTime(random.below(jitter)) + extra, stalledUntil)
        up.append(Packet(arrival: lastUp, sentAt: now, content: content))
    }

    func resumeReading() {
        if isPaused { truth.isStale = true }
        isPaused = false
    }

    /// Whether one read empties the socket: it begins with a packet of `arrival` that the host had not taken already,
    /// and takes `budget` more.
    func takesAll(after arrival: VirtualTime, _ budget: Int, at now: VirtualTime) -> Bool {
        guard arrival > takenUntil else { return false }
        guard down.hasFewer(than: budget + 1, where: { $0.arrival <= now }) else { return false }
        takenUntil = now
        return true
    }

    /// How long after the end of `old` an acceptance of this link looks like one before it: the Close frame may still
    /// be in transit then.
    func blindSpan(after old: NetworkLink) -> VirtualTime {
        max(2 * max(old.latency, latency), old.latency + VirtualTime(old.jitter))
    }

    /// Data that had not arrived at `now` is lost; data in the kernel may be lost too.
    func loseDown(after now: VirtualTime, evenArrived: Bool) {
        let limit = evenArrived ? takenUntil : now
        truth.lost(down.first(where: { $0.arrival > limit && $0.stamp != nil })?.stamp)
        down.keep { $0.arrival <= limit }
        lastDown = min(lastDown, now)
    }
}

extension NetworkLink {
    /// Whether a blocked host finds the answer to an earlier step than the request, such as TLS. The next step has its
    /// own deadline.
    func takesNextStep(now: Instant) -> Bool {
        guard socket == nil, !isUpLost, phase == .connecting, let deadline, now - deadline >= .milliseconds(10) else {
            return false
        }
        self.deadline = now + .seconds(10)
        return true
    }

    /// Packets in transit arrive all at once when the path is free again.
    func stall(until end: VirtualTime, now: VirtualTime) {
        stalledUntil = max(stalledUntil, end)
        down.change { $0.arrival > now ? $0.delayed(until: stalledUntil) : $0 }
        up.change { $0.delayed(until: stalledUntil) }
    }
}

extension NetworkLink.Packet {
    fileprivate func delayed(until time: VirtualTime) -> Self {
        Self(arrival: max(arrival, time), sentAt: sentAt, content: content, stamp: stamp)
    }
}
