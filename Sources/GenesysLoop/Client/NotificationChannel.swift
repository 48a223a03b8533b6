internal import Logging

/// A Genesys Cloud notifications channel: it connects, subscribes, delivers and recovers.
///
///     let loop = try UVLoop()
///     let channel = try NotificationChannel(uri: uri, topics: ["v2.users.….presence"], on: loop, delegate: host)
///     channel.open()
///     loop.run()
///
/// From `open()` to its terminal call the loop retains the channel, so the host need not. All calls belong on the
/// loop's thread and trap elsewhere; all of them are legal inside every delegate method. Nothing is delivered from
/// within a call: callbacks come from the loop.
public final class NotificationChannel {
    /// The loop that drives the channel.
    public let loop: UVLoop
    /// The configuration of the channel.
    public var configuration: ChannelConfiguration {
        var configuration = linkOptions.configuration
        configuration.logger = logger
        return configuration
    }

    private(set) var linkOptions: SharedLinkOptions
    let logger: Logger

    /// The delegate, held weakly. Setting it to nil silences the channel, and closes it at the next delivery.
    ///
    /// A delegate that was deallocated has the same effect, with one warning in the log.
    public var delegate: (any NotificationChannelDelegate)? {
        get {
            loop.preconditionCurrent("NotificationChannel.delegate")
            return weakDelegate
        }
        set {
            loop.preconditionCurrent("NotificationChannel.delegate")
            weakDelegate = newValue
            delegateDidChange(isSet: newValue != nil)
        }
    }

    /// Returns the delegate and clears it: no further callback follows.
    func takeDelegate() -> (any NotificationChannelDelegate)? {
        defer {
            weakDelegate = nil
            generation &+= 1
        }
        return weakDelegate
    }

    private weak var weakDelegate: (any NotificationChannelDelegate)?
    /// Changes with everything that makes the receive loop check its conditions again: delegate, machine, pending
    /// actions.
    var generation = 0

    var machine: ChannelMachine {
        didSet { generation &+= 1 }
    }
    var core: DriverCore<ChannelMachine.Action>
    var driver: ChannelDriver
    // Not in `driver`, so that counting a message needs no check for exclusive access.
    var counters = ChannelCounters()

    /// Makes a channel. It does nothing until `open()`; a channel that is never opened causes a warning in the log.
    ///
    /// - Parameters:
    ///   - uri: the `connectUri` of the channel, `wss://streaming.…/channels/…`. It is a secret and is never logged.
    ///   - topics: at most 1,000, each of at most 200 characters; duplicates collapse. May be empty when the topics are
    ///     managed over REST.
    ///   - loop: drives the channel.
    ///   - delegate: receives the events; held weakly. It may be set later, before `open()`.
    ///   - configuration: how the channel behaves.
    /// - Throws: `ChannelFailure` with reason `invalidURI`, `subscriptionRefused` (an invalid topic), `tlsHandshake`
    ///   (trust or identity that cannot be used) or `proxy` (a proxy of the environment that cannot be used).
    public init(
        uri: String, topics: [Topic], on loop: UVLoop, delegate: (any NotificationChannelDelegate)? = nil,
        configuration: ChannelConfiguration = ChannelConfiguration()
    ) throws(ChannelFailure) {
        loop.preconditionCurrent("NotificationChannel.init")
        let endpoint = try ChannelFailure.rethrowing { () throws(LinkFailure) in try WebSocketURI(checking: uri) }
        let topics = try Topic.checked(topics)
        self.loop = loop
        let linkOptions = loop.sharedLinkOptions(configuration)
        self.linkOptions = linkOptions
        logger = configuration.logger
        driver = try ChannelFailure.rethrowing { () throws(LinkFailure) in
            try ChannelDriver(endpoint: endpoint, loop: loop, linkOptions: linkOptions)
        }
        var seed = SystemRandomNumberGenerator()
        machine = ChannelMachine(topics: topics, settings: linkOptions.settings, seed: seed.next())
        weakDelegate = delegate
        core = DriverCore(loop: loop, hasDelegate: delegate != nil)
        let logger = self.logger
        loop.forgotten.made(self) { logger.warning("\(endpoint.redacted) was never opened: call open()") }
    }

    deinit {
        // On another thread only `run()` reports it.
        if loop.isCurrent { loop.forgotten.dropped(self)?() }
    }

    /// What the channel is doing.
    ///
    /// It changes at once, inside a call too; `channel(_:didChange:)` reports the change from the loop, except those
    /// that `close()` causes: after it only `channelDidClose` follows. After a failure it is `ended` while
    /// notifications that were held are still delivered.
    public var state: ChannelState {
        loop.preconditionCurrent("NotificationChannel.state")
        return machine.channelState
    }

    /// The wanted topics, in the order in which they were given.
    public var topics: [Topic] {
        loop.preconditionCurrent("NotificationChannel.topics")
        return machine.subscriptions.wanted
    }

    /// Connects and subscribes. Calling it again does nothing.
    ///
    /// - Precondition: the channel was given a delegate. Keep it: the channel does not.
    public func open() {
        loop.preconditionCurrent("NotificationChannel.open")
        guard machine.state == .idle else { return }
        core.delegateWatch.preconditionSet("NotificationChannel")
        retainUntilEnd()
        logger.debug("opening \(driver.redactedURI) with \(topics.count) topics")
        submit(machine.openRequested(now: loop.now))
    }

    /// Starts the closing handshake and stops delivery.
    ///
    /// Only `channelDidClose` follows the return of this call: when the peer has answered, or after
    /// `configuration.deadlines.close`, whichever is first. Calling it again does nothing.
    ///
    /// Source: RFC 6455 §7.1.2.
    public func close() {
        loop.preconditionCurrent("NotificationChannel.close")
        if machine.state == .idle { retainUntilEnd() }
        submit(machine.closeRequested(now: loop.now))
    }

    /// Moves to another channel URI without a break: the old connection lives until the new one is confirmed.
    ///
    /// If the new connection fails, the channel calls `didFailRollover`, and the old connection continues. Before
    /// `open()`, and while the channel connects or recovers, only the target of the next attempt changes. On a channel
    /// that is closing or has ended a URI that can be used does nothing.
    ///
    /// - Parameter uri: the `connectUri` of the other channel.
    /// - Throws: `ChannelFailure` of kind `rollover` for a URI that cannot be used, with the reasons of
    ///   `init(uri:topics:on:delegate:configuration:)`: `invalidURI`, `tlsHandshake` or `proxy`. Nothing has changed
    ///   then.
    public func rollover(to uri: String) throws(ChannelFailure) {
        loop.preconditionCurrent("NotificationChannel.rollover")
        let id: EndpointID
        do throws(LinkFailure) {
            id = try driver.add(try WebSocketURI(checking: uri), loop: loop, linkOptions: linkOptions)
        } catch {
            throw ChannelFailure(error).asKind(.rollover)
        }
        submit(machine.rolloverRequested(to: id, now: loop.now))
    }

    /// Reports a rollover that did not start to the delegate, from the loop, for a host that cannot be thrown at.
    package func reportFailedRollover(_ failure: ChannelFailure) {
        guard machine.state != .ended else { return }
        submit([.tell(.didFailRollover(failure))])
    }

    /// Whether the confirmed connection is one to this URI.
    ///
    /// After `rollover(to:)` it says that the channel has arrived there: also when a reconnect led there, and not when
    /// the channel stayed at, or returned to, the old URI.
    public func isConnected(to uri: String) -> Bool {
        loop.preconditionCurrent("NotificationChannel.isConnected")
        guard let current = machine.current, let uri = try? WebSocketURI(uri) else { return false }
        return driver[current.endpoint] == uri
    }

    /// The time until which everything that the service had for this channel has arrived; nil before the first
    /// confirmation.
    ///
    /// If the connection is lost, a gap begins here: in an outage, and after `didFail`, it is the beginning of the
    /// loss. A channel that failed reports no gap, so a host that continues with another channel reports one from then
    /// until the other is confirmed.
    public var deliveredUntil: WallTime? {
        loop.preconditionCurrent("NotificationChannel.deliveredUntil")
        return machine.deliveredUntil?.wall
    }

    /// Changes the TLS configuration from the next connection on: a reconnect, or a rollover. The open connection
    /// continues.
    ///
    /// For files that changed on disk, `UVLoop.reloadTLS()` is enough.
    ///
    /// - Throws: `ChannelFailure` with reason `tlsHandshake` if the configuration cannot be used; nothing has changed
    ///   then.
    public func setTLS(_ tls: TLSConfiguration) throws(ChannelFailure) {
        loop.preconditionCurrent("NotificationChannel.setTLS")
        var configuration = self.configuration
        configuration.tls = tls
        let changed = loop.sharedLinkOptions(configuration)
        try ChannelFailure.rethrowing { () throws(LinkFailure) in try driver.prepare(changed, on: loop) }
        linkOptions = changed
    }

    /// Stops reading: the service's data waits in the socket. Silence does not count until `resume()`.
    ///
    /// Delivery stops after the current message. Regardless of the length of the pause and the amount of data, each
    /// connection of the channel keeps at most the data of one read, 64 KiB, and a partial message of at most
    /// `configuration.maxMessageSize`.
    public func pause() {
        loop.preconditionCurrent("NotificationChannel.pause")
        submit(machine.pauseRequested(now: loop.now))
    }

    /// Reads again after `pause()`.
    public func resume() {
        loop.preconditionCurrent("NotificationChannel.resume")
        submit(machine.resumeRequested(now: loop.now))
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
        loop.preconditionCurrent("NotificationChannel.unsubscribe")
        let removed = Set(removed)
        submit(machine.topicsChanged(to: machine.subscriptions.wanted.filter { !removed.contains($0) }, now: loop.now))
    }

    /// Replaces the topics; only the difference goes to the service.
    ///
    /// - Throws: `ChannelFailure` with reason `subscriptionRefused` for an invalid topic, or beyond 1,000. Nothing has
    ///   changed then.
    public func setTopics(_ topics: [Topic]) throws(ChannelFailure) {
        loop.preconditionCurrent("NotificationChannel.setTopics")
        submit(machine.topicsChanged(to: try Topic.checked(topics), now: loop.now))
    }
}

/// A channel holds its URI, which is a bearer secret: neither printing nor dumping the channel shows it.
extension NotificationChannel: CustomStringConvertible, CustomReflectable {
    /// The redacted URI and the number of topics.
    public var description: String {
        "NotificationChannel(\(driver.redactedURI), \(machine.subscriptions.wanted.count) topics)"
    }

    /// A mirror without children.
    public var customMirror: Mirror {
        Mirror(self, children: [])
    }
}
