public import GenesysLoop
internal import Logging

/// A notifications channel without a URI: it makes the service's channel over REST, asks for the topics, and keeps it.
///
///     let channel = try ProvisionedChannel(topics: ["v2.users.….presence"], on: platform, delegate: host)
///     channel.open()
///
/// A channel of the service that is gone is replaced by another one, with its gap. Before the token, or the channel,
/// ends it moves to a fresh channel without a loss: the new token first, then the new channel, and both connections
/// overlap. Topics that the service refuses are reported with the reason and the missing permissions; the others are
/// delivered.
///
/// From `open()` to its terminal call the loop retains the channel, and the channel its platform. All calls belong on
/// the loop's thread and trap elsewhere; all of them are legal inside every delegate method. Nothing is delivered from
/// within a call.
public final class ProvisionedChannel {
    /// The REST side.
    public let platform: Platform
    /// The configuration of the channel. Its TLS and its proxy are for the WebSocket; the REST side has its own.
    public let configuration: ChannelConfiguration

    /// The delegate, held weakly. Setting it to nil silences the channel, and closes it at the next delivery.
    public var delegate: (any ProvisionedChannelDelegate)? {
        get {
            loop.preconditionCurrent("ProvisionedChannel.delegate")
            return weakDelegate
        }
        set {
            loop.preconditionCurrent("ProvisionedChannel.delegate")
            weakDelegate = newValue
            burst.end()
        }
    }

    weak var weakDelegate: (any ProvisionedChannelDelegate)?
    let burst = BurstDelegate<any ProvisionedChannelDelegate>()
    var machine: ProvisionedChannelMachine
    var work = DriverWork<ProvisionedChannelMachine.Action>()
    var toldState = ChannelState.idle
    /// The host closed it: only the terminal call follows.
    var isSilent = false
    var isPaused = false
    /// The calls of the REST side that are not answered.
    var calls: Set<CallID> = []
    /// Its part in a group, whose channels are made one after the other.
    var place: (group: Weak<ChannelGroup>, shard: Int)?
    /// The first call of the way to a channel, until the group gives it its turn.
    var held: PendingCall?
    /// The open channel closes for the next one.
    var isExchanging = false
    /// The last channel that is not open anymore had delivered everything until then.
    var deliveredUntil: WallTime?
    /// The open channel, and its delegate.
    var current: (channel: NotificationChannel, relay: ChannelRelay)?
    /// What was done before `current` was opened.
    var earlier = ChannelStatistics()
    var lastNotificationAt: Instant?

    /// Makes a channel. It does nothing until `open()`.
    ///
    /// - Parameters:
    ///   - topics: at most 1,000, each of at most 200 characters; duplicates collapse. May be empty.
    ///   - platform: makes the channels of the service.
    ///   - delegate: receives the events; held weakly. It may be set later, before `open()`.
    ///   - configuration: how the channel behaves. The totals of its `reconnect` policy cover token, REST and
    ///     connection.
    /// - Throws: `ChannelFailure` with reason `subscriptionRefused` for an invalid topic, or beyond 1,000.
    /// - Precondition: called on the loop's thread.
    public init(
        topics: [Topic], on platform: Platform, delegate: (any ProvisionedChannelDelegate)? = nil,
        configuration: ChannelConfiguration = ChannelConfiguration()
    ) throws(ChannelFailure) {
        platform.loop.preconditionCurrent("ProvisionedChannel.init")
        var seed = SystemRandomNumberGenerator()
        self.platform = platform
        self.configuration = configuration
        machine = ProvisionedChannelMachine(
            topics: try Topic.checked(topics), policy: configuration.reconnect,
            firstCall: platform.nextCallRange(), seed: seed.next())
        weakDelegate = delegate
    }

    /// The loop that drives the channel.
    public var loop: UVLoop { platform.loop }

    /// What the channel is doing: `connecting` includes the way to the first channel over REST, `recovering` that to
    /// another one.
    public var state: ChannelState {
        loop.preconditionCurrent("ProvisionedChannel.state")
        return machine.channelState
    }

    /// The wanted topics, in the order in which they were given.
    public var topics: [Topic] {
        loop.preconditionCurrent("ProvisionedChannel.topics")
        return machine.wanted
    }

    /// What the channel has done since `open()`, over all channels of the service that it had.
    public var statistics: ChannelStatistics {
        loop.preconditionCurrent("ProvisionedChannel.statistics")
        var statistics = earlier
        statistics.state = machine.channelState
        statistics.lastNotificationAge = lastNotificationAt.map { loop.now.instant - $0 }
        if let current { statistics.add(current.channel.statistics) }
        return statistics
    }

    /// The channel that is open now; nil while there is none. It changes when the service's channel
    /// is replaced, and not when it moves.
    ///
    /// Its delegate, its topics and its life belong to this object.
    public var notificationChannel: NotificationChannel? {
        loop.preconditionCurrent("ProvisionedChannel.notificationChannel")
        return current?.channel
    }

    /// Makes a channel and connects to it. Calling it again does nothing.
    ///
    /// - Precondition: the channel was given a delegate. Keep it: the channel does not.
    public func open() {
        loop.preconditionCurrent("ProvisionedChannel.open")
        guard machine.state == .idle, !isSilent else { return }
        precondition(
            weakDelegate != nil,
            "ProvisionedChannel.open() was called without a delegate: set one before, and keep it, as it is held weakly."
        )
        loop.retain(self)
        if let token = platform.join(self) { submit(machine.tokenChanged(to: token)) }
        submit(machine.openRequested(now: loop.now.instant))
    }

    /// Closes the connection and abandons the calls that are under way.
    ///
    /// Only `channelDidClose` follows the return of this call: when the service has answered the closing handshake, or
    /// after `configuration.deadlines.close`, whichever is first. Calling it again does nothing. The service has no
    /// call that deletes a channel: it ends with its token.
    public func close() {
        loop.preconditionCurrent("ProvisionedChannel.close")
        guard !isSilent else { return }
        if machine.state == .idle { loop.retain(self) }
        isSilent = true
        submit(machine.closeRequested())
    }

    /// Moves to a fresh channel of the service, without a loss. Does nothing while a move is under way, or while the
    /// channel is not confirmed.
    public func move() {
        loop.preconditionCurrent("ProvisionedChannel.move")
        submit(machine.moveRequested())
    }

    /// Stops reading, as `NotificationChannel.pause()` does.
    public func pause() {
        loop.preconditionCurrent("ProvisionedChannel.pause")
        isPaused = true
        current?.channel.pause()
    }

    /// Reads again after `pause()`.
    public func resume() {
        loop.preconditionCurrent("ProvisionedChannel.resume")
        isPaused = false
        current?.channel.resume()
    }

    /// Adds topics. If the service refuses them, the channel calls `didReject`.
    ///
    /// - Parameter added: the new topics; those that the channel has are ignored.
    /// - Throws: `ChannelFailure` with reason `subscriptionRefused` for an invalid topic, or beyond 1,000. Nothing has
    ///   changed then.
    public func subscribe(_ added: [Topic]) throws(ChannelFailure) {
        try setTopics(topics + added)
    }

    /// Adds topics, as `subscribe(_:)` does with an array.
    public func subscribe(_ added: Topic...) throws(ChannelFailure) {
        try subscribe(added)
    }

    /// Removes topics; unknown ones are ignored.
    public func unsubscribe(_ removed: Topic...) {
        unsubscribe(removed)
    }

    /// Removes topics; unknown ones are ignored.
    public func unsubscribe(_ removed: [Topic]) {
        loop.preconditionCurrent("ProvisionedChannel.unsubscribe")
        let removed = Set(removed)
        submit(machine.topicsChanged(to: machine.wanted.filter { !removed.contains($0) }))
    }

    /// Replaces the topics; only the difference goes to the service.
    ///
    /// - Throws: `ChannelFailure` with reason `subscriptionRefused` for an invalid topic, or beyond 1,000. Nothing has
    ///   changed then.
    public func setTopics(_ topics: [Topic]) throws(ChannelFailure) {
        loop.preconditionCurrent("ProvisionedChannel.setTopics")
        submit(machine.topicsChanged(to: try Topic.checked(topics)))
    }
}

extension ProvisionedChannel {
    /// A call of the machine that is not made yet.
    struct PendingCall {
        let id: CallID
        let call: RESTCall
        let token: Token?
        var limit: Instant?
    }
}

/// Neither printing nor dumping it shows a secret.
extension ProvisionedChannel: CustomStringConvertible, CustomReflectable {
    /// The state and the number of topics.
    public var description: String { "ProvisionedChannel(\(machine.channelState), \(machine.wanted.count) topics)" }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
