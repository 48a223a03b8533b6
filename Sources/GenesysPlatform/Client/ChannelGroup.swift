public import GenesysLoop
internal import Logging

/// More topics than one channel holds: as many channels as they need, which are made and kept over REST.
///
///     let group = try ChannelGroup(topics: topics, on: platform, delegate: host)
///     group.open()
///
/// A *shard* is the part of the topics that one channel has, at most 1,000; single topics of one resource are combined.
/// Each shard has a channel that is kept as a `ProvisionedChannel` keeps it: what happens to one touches no other. They
/// are made about one a second. Before the token ends they move to fresh channels, one after the other.
///
/// An OAuth client has 20 channels. A move needs one beside the others, so a group has at most 19 shards, or 20 with
/// moves that cost a gap.
///
/// From `open()` to its terminal call the loop retains the group, and the group its platform. All calls belong on the
/// loop's thread and trap elsewhere; all of them are legal inside every delegate method. Nothing is delivered from
/// within a call.
public final class ChannelGroup {
    /// The REST side.
    public let platform: Platform
    /// The configuration of each channel.
    public let configuration: ChannelConfiguration

    /// The delegate, held weakly. Setting it to nil silences the group, and closes it at the next delivery.
    public var delegate: (any ChannelGroupDelegate)? {
        get {
            loop.preconditionCurrent("ChannelGroup.delegate")
            return weakDelegate
        }
        set {
            loop.preconditionCurrent("ChannelGroup.delegate")
            weakDelegate = newValue
            burst.end()
        }
    }

    weak var weakDelegate: (any ChannelGroupDelegate)?
    let burst = BurstDelegate<any ChannelGroupDelegate>()
    var machine: ChannelGroupMachine
    var work = DriverWork<ChannelGroupMachine.Action>()
    var toldState = ChannelState.idle
    /// The host closed it: only the terminal call follows.
    var isSilent = false
    var isPaused = false
    /// The open channels, by shard, and their delegates.
    var channels: [Int: (channel: ProvisionedChannel, relay: ShardRelay)] = [:]
    /// Shards that were given up after their first confirmation, and until when everything was delivered.
    var losses: [Int: (from: WallTime, reason: FailureReason)] = [:]
    /// Wanted topics whose refusal the host knows.
    var rejected: Set<Topic> = []
    /// The call that asks which channels exist.
    var count: CallID?
    /// What channels did that are not open anymore.
    var earlier = ChannelStatistics()

    /// Makes a group. It does nothing until `open()`.
    ///
    /// - Parameters:
    ///   - topics: each of at most 200 characters; duplicates collapse. May be empty.
    ///   - platform: makes the channels of the service. Other programs with the same OAuth client have what is left of
    ///     its 20.
    ///   - delegate: receives the events; held weakly. It may be set later, before `open()`.
    ///   - configuration: how each channel behaves. The totals of its `reconnect` policy cover token, REST and
    ///     connection.
    ///   - keepsSparePlace: whether a place is left for moves. Without one the group may have 20 shards, and then each
    ///     of its moves is a gap.
    /// - Throws: `ChannelFailure` with reason `subscriptionRefused` for an invalid topic, or for more than fit.
    /// - Precondition: called on the loop's thread.
    public init(
        topics: [Topic], on platform: Platform, delegate: (any ChannelGroupDelegate)? = nil,
        configuration: ChannelConfiguration = ChannelConfiguration(), keepsSparePlace: Bool = true
    ) throws(ChannelFailure) {
        platform.loop.preconditionCurrent("ChannelGroup.init")
        var seed = SystemRandomNumberGenerator()
        self.platform = platform
        self.configuration = configuration
        machine = try ChannelGroupMachine(
            topics: topics, policy: configuration.reconnect, keepsSparePlace: keepsSparePlace, seed: seed.next())
        weakDelegate = delegate
    }

    /// The loop that drives the group.
    public var loop: UVLoop { platform.loop }

    /// What the group is doing.
    ///
    /// `connecting` until every shard is subscribed or refused; then `subscribed` (or `rollingOver`) while all shards
    /// are, and `recovering` while one is not.
    public var state: ChannelState {
        loop.preconditionCurrent("ChannelGroup.state")
        return machine.channelState
    }

    /// The wanted topics, without an order.
    public var topics: [Topic] {
        loop.preconditionCurrent("ChannelGroup.topics")
        return Array(machine.plan.wanted)
    }

    /// The parts of the group, by their numbers.
    public var shards: [Shard] {
        loop.preconditionCurrent("ChannelGroup.shards")
        return (0..<machine.plan.shardCount).map { number in
            Shard(
                number: number, topics: machine.plan.topics(of: number), channel: channels[number]?.channel)
        }
    }

    /// What all channels of the group have done since `open()`, those that are gone too.
    public var statistics: ChannelStatistics {
        loop.preconditionCurrent("ChannelGroup.statistics")
        var statistics = earlier
        statistics.state = machine.channelState
        for (channel, _) in channels.values { statistics.add(channel.statistics) }
        return statistics
    }

    /// Makes the channels and connects to them. Calling it again does nothing.
    ///
    /// - Precondition: the group was given a delegate. Keep it: the group does not.
    public func open() {
        loop.preconditionCurrent("ChannelGroup.open")
        guard machine.state == .idle, !isSilent else { return }
        precondition(
            weakDelegate != nil,
            "ChannelGroup.open() was called without a delegate: set one before, and keep it, as it is held weakly.")
        loop.retain(self)
        submit(machine.openRequested(now: loop.now.instant))
    }

    /// Closes every connection and abandons the calls that are under way.
    ///
    /// Only `groupDidClose` follows the return of this call: when each channel is closed, at most
    /// `configuration.deadlines.close` later. Calling it again does nothing.
    public func close() {
        loop.preconditionCurrent("ChannelGroup.close")
        guard !isSilent else { return }
        if machine.state == .idle { loop.retain(self) }
        isSilent = true
        submit(machine.closeRequested())
    }

    /// Moves every shard to a fresh channel of the service, one after the other.
    public func move() {
        loop.preconditionCurrent("ChannelGroup.move")
        for shard in channels.keys.sorted() { channels[shard]?.channel.move() }
    }

    /// Stops reading, as `NotificationChannel.pause()` does, from all channels.
    public func pause() {
        loop.preconditionCurrent("ChannelGroup.pause")
        isPaused = true
        for (channel, _) in channels.values { channel.pause() }
    }

    /// Reads again after `pause()`.
    public func resume() {
        loop.preconditionCurrent("ChannelGroup.resume")
        isPaused = false
        for (channel, _) in channels.values { channel.resume() }
    }

    // MARK: - Topics

    /// Adds topics for one more user of the group. If the service refuses them, the group calls `didReject`.
    ///
    /// Users are counted: a topic ends when as many have removed it as have added it.
    ///
    /// - Throws: `ChannelFailure` with reason `subscriptionRefused` for an invalid topic, or for more than fit. Nothing
    ///   has changed then.
    public func subscribe(_ added: [Topic]) throws(ChannelFailure) {
        loop.preconditionCurrent("ChannelGroup.subscribe")
        submit(try machine.added(added, now: loop.now.instant))
    }

    /// Adds topics, as `subscribe(_:)` does with an array.
    public func subscribe(_ added: Topic...) throws(ChannelFailure) {
        try subscribe(added)
    }

    /// Removes topics for one user; unknown ones are ignored.
    public func unsubscribe(_ removed: [Topic]) {
        loop.preconditionCurrent("ChannelGroup.unsubscribe")
        submit(machine.removed(removed, now: loop.now.instant))
        forgetUnwanted()
    }

    /// Removes topics, as `unsubscribe(_:)` does with an array.
    public func unsubscribe(_ removed: Topic...) {
        unsubscribe(removed)
    }

    /// Replaces the topics of all users, with one user each; only the difference goes to the service.
    ///
    /// - Throws: as `subscribe(_:)`.
    public func setTopics(_ topics: [Topic]) throws(ChannelFailure) {
        loop.preconditionCurrent("ChannelGroup.setTopics")
        submit(try machine.replaced(with: topics, now: loop.now.instant))
        forgetUnwanted()
    }

    /// What is removed and added again may be refused again, and a shard without topics misses nothing.
    private func forgetUnwanted() {
        rejected = rejected.filter(machine.plan.isWanted)
        losses = losses.filter { machine.plan.placeCount(of: $0.key) > 0 }
    }
}

extension ChannelGroup {
    /// The part of a group's topics that one channel has.
    public struct Shard {
        /// Its index in `ChannelGroup.shards`.
        public let number: Int
        /// What is wanted of the service: single topics, and combined ones.
        public let topics: [Topic]
        /// Its channel, for its state and its statistics; nil if it has none.
        ///
        /// Its delegate, its topics and its life belong to the group.
        public let channel: ProvisionedChannel?
    }
}

/// Neither printing nor dumping it shows a secret.
extension ChannelGroup: CustomStringConvertible, CustomReflectable {
    /// The state, the number of topics and that of shards.
    public var description: String {
        let plan = machine.plan
        return "ChannelGroup(\(machine.channelState), \(plan.wanted.count) topics, \(plan.shardCount) shards)"
    }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
