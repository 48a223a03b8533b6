internal import GenesysLoop

/// The Genesys Cloud notification service as a pure machine: facts in, actions out.
///
/// It does no I/O, reads no clock and has no source of randomness but its seed: equal seeds and equal inputs give equal
/// transcripts. A WebSocket server can put it behind a socket; a test can drive it with numbers alone. Time is a
/// `Duration` since an origin that the driver chooses and keeps; it never runs backwards.
///
/// # Driving it
///
/// ```swift
/// var service = SimulatedService(seed: 1)
/// let channel = try service.channelCreated(now: now)                       // "/channels/streaming-…"
///
/// // An upgrade request was parsed:
/// switch service.upgradeRequested(target: request.target, now: now) {
/// case .accept(let socket): sockets[socket] = connection                   // answer 101
/// case .refuse(let refusal): connection.answer(refusal.status, refusal.headers)
/// case .reset: connection.reset()
/// case .neverAnswer: break
/// }
/// // A text message arrived, a timer fired:
/// perform(service.textReceived(on: socket, bytes, now: now))
/// perform(service.deadlineReached(now: now))
/// // A connection is gone, whichever side ended it:
/// service.socketEnded(socket, now: now)
///
/// // After *every* input: one timer, at the next deadline (which may be now).
/// timer.arm(at: service.nextDeadline)
/// ```
///
/// `perform` executes the actions in order. After `.close`, `.drop` or `.reset` the machine has forgotten the socket:
/// later inputs for it are legal and do nothing. Ping frames, binary frames and the closing handshake are up to the
/// driver (see `Configuration.Liveness.answersPingFrames`).
///
/// # Life of a channel and of its sockets
///
///     channelCreated ─▶ live ──(expires, revokeToken, evict, the 21st channel)──▶ gone: 404 from now on
///                        │ ▲
///                        └─┘ subscribe renews `expires`
///
///     upgradeRequested ─▶ open ──(second socket: 1000 · maintenance: 1001 · channel gone: 1001)──▶ forgotten
///
/// Deadlines: heartbeat, end of a superseded socket, end of a socket under maintenance and its further notices,
/// delayed replies, end of a channel's life, end of a token, next notification of the feed.
///
/// # REST
///
/// `restRequested(_:socketBase:wall:now:)` answers a request. The answer says how the driver delivers it; what the
/// request does to sockets is due at once, at the next `deadlineReached(now:)`.
///
/// Source: the public descriptions of the notification service; where they are silent, a documented default of
/// `Configuration`.
public struct SimulatedService: Sendable {
    /// The behavior of the service.
    ///
    /// Changes apply from the next input on; what is already scheduled stays.
    public var configuration: Configuration

    /// Channels in the order of creation.
    ///
    /// Records of channels that are gone stay, emptied.
    var channels: [ChannelRecord] = []
    var channelIndices: [String: Int] = [:]
    var sockets: [SocketID: SocketRecord] = [:]
    var socketCount = 0

    var deadlines = DeadlineQueue<Event>()
    var generator: SeededGenerator
    /// The latest time of an input.
    var latest: Duration = .zero

    /// Tokens in the order in which they were made; the values of ended ones stay out of `tokenIndices`.
    var tokens: [TokenRecord] = []
    var tokenIndices: [String: Int] = [:]
    /// Channels that the client's tokens made within a minute.
    var creations = RateWindow()
    var faults: [Fault] = []
    /// The latest requests to the REST side, the newest last: at most `maxRecordCount`.
    public internal(set) var requests: [RESTRecord] = []
    /// Requests to the REST side since the start.
    public internal(set) var requestCount = 0

    var feed = SampleFeed()
    var roster = TopicRoster()
    var rosterIsStale = false
    var schedule = PublishingSchedule()

    /// Creates a service without channels.
    ///
    /// - Parameters:
    ///   - configuration: the behavior; every default is what the real service is known or believed to do.
    ///   - seed: decides every random number: channel ids, correlation ids, delays.
    public init(configuration: Configuration = Configuration(), seed: UInt64) {
        self.configuration = configuration
        self.generator = SeededGenerator(seed: seed)
    }

    /// When to call `deadlineReached(now:)` next; `nil` if nothing will ever be due.
    ///
    /// It may lie in the past, which means at once.
    public var nextDeadline: Duration? {
        if schedule.rate != wantedRate, wantedRate == 0 || hasAudience { return latest }
        if hasLostClient { return latest }
        guard let event = deadlines.nextDue else { return schedule.next }
        guard let notification = schedule.next else { return event }
        return min(event, notification)
    }

    /// Does everything that is due.
    ///
    /// Call it at or after `nextDeadline`; an early call does no harm. Deadlines are processed in order. A very late
    /// call sends one heartbeat instead of many, and at most `PublishingSchedule.maxBacklog` of the feed.
    public mutating func deadlineReached(now: Duration) -> [Action] {
        advance(to: now)
        var actions: [Action] = []
        while true {
            let event = deadlines.nextDue
            if let due = schedule.next, due <= now, event.map({ due < $0 }) ?? true {
                publishNext(now: now, into: &actions)
            } else if let event, event <= now {
                let (due, what) = deadlines.removeFirst()
                meet(what, due: due, now: now, into: &actions)
            } else {
                break
            }
        }
        settleSchedule(now: now)
        return actions
    }

    /// An event with a due time.
    enum Event: Hashable, Sendable {
        case heartbeat(SocketID)
        case perform(Action)
        case endOfLife(channel: Int)
        case endOfToken(Int)
    }

    private mutating func meet(_ event: Event, due: Duration, now: Duration, into actions: inout [Action]) {
        switch event {
        case .heartbeat(let socket): beat(socket, due: due, now: now, into: &actions)
        case .perform(let action): emit(action, into: &actions)
        case .endOfLife(let channel): endOfLifeReached(channel, due: due, into: &actions)
        case .endOfToken(let token):
            for action in endToken(token) { emit(action, into: &actions) }
        }
    }

    /// Records the time.
    ///
    /// Every input starts with it.
    mutating func advance(to now: Duration) {
        latest = max(latest, now)
        if hasLostClient { perform(endTokens(), at: now) }
        settleSchedule(now: now)
    }

    /// A duration of the service, divided by the time scale.
    func scaled(_ duration: Duration) -> Duration {
        let scale = configuration.timeScale
        guard scale.isFinite, scale > 0 else { return duration }
        // A division by 1 rounds.
        return max(.milliseconds(1), scale == 1 ? duration : duration / min(max(scale, 0.001), 1_000_000))
    }
}
