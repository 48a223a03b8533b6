internal import Logging

/// A Genesys Cloud notifications channel: connects, subscribes, delivers, and stays.
///
///     let loop = try UVLoop()
///     let channel = try NotificationChannel(uri: uri, topics: ["v2.users.….presence"], on: loop, delegate: host)
///     channel.open()
///     loop.run()
///
/// From `open()` to its terminal call the loop retains the channel, so the host need not. All calls belong on the
/// loop's thread and trap elsewhere; all of them are legal inside every delegate method. Nothing is ever delivered
/// from within a call: callbacks come from the loop.
public final class NotificationChannel {
    /// The loop that drives the channel.
    public let loop: UVLoop
    /// The configuration it was made with.
    public var configuration: ChannelConfiguration {
        var configuration = linkOptions.configuration
        configuration.logger = logger
        return configuration
    }

    private(set) var linkOptions: SharedLinkOptions
    let logger: Logger

    /// Whom the channel tells; held weakly. Setting it to nil silences the channel, and closes it at the next delivery.
    ///
    /// A delegate that was never set, or is gone, does the same, with a warning in the log.
    public var delegate: (any NotificationChannelDelegate)? {
        get {
            loop.preconditionCurrent("NotificationChannel.delegate")
            return weakDelegate
        }
        set {
            loop.preconditionCurrent("NotificationChannel.delegate")
            weakDelegate = newValue
            delegateWatch.changed(isSet: newValue != nil)
            generation &+= 1
        }
    }

    /// The delegate, which hears of nothing after that.
    func takeDelegate() -> (any NotificationChannelDelegate)? {
        defer {
            weakDelegate = nil
            generation &+= 1
        }
        return weakDelegate
    }

    var delegateWatch: DelegateWatch
    private weak var weakDelegate: (any NotificationChannelDelegate)?
    /// Changes with whatever makes the receive loop look at the world again: delegate, machine, what is to be done.
    var generation = 0

    var machine: ChannelMachine {
        didSet { generation &+= 1 }
    }
    var driver: ChannelDriver
    // Not in `driver`: so that counting a message needs no check for exclusive access.
    var counters = ChannelCounters()

    /// Makes a channel. It does nothing until `open()`; one that is never opened is a warning in the log.
    ///
    /// - Parameters:
    ///   - uri: the `connectUri` of the channel, `wss://streaming.…/channels/…`. It is a secret: it is never logged.
    ///   - topics: at most 1,000, each of at most 200 characters; duplicates collapse. May be empty when the topics are
    ///     managed over REST.
    ///   - loop: drives the channel.
    ///   - delegate: is told; held weakly.
    ///   - configuration: how it behaves.
    /// - Throws: `ChannelFailure` with reason `invalidURI`, `subscriptionRefused` (a topic the service would not take),
    ///   `tlsHandshake` (trust or identity that cannot be used) or `proxy` (one of the environment that cannot be
    ///   used).
    public init(
        uri: String, topics: [Topic], on loop: UVLoop, delegate: (any NotificationChannelDelegate)? = nil,
        configuration: ChannelConfiguration = ChannelConfiguration()
    ) throws {
        loop.preconditionCurrent("NotificationChannel.init")
        let endpoint = try WebSocketURI(checking: uri)
        let topics = try NotificationChannel.checked(topics)
        self.loop = loop
        linkOptions = loop.sharedLinkOptions(configuration)
        logger = configuration.logger
        driver = try ChannelDriver(endpoint: endpoint, loop: loop, linkOptions: linkOptions)
        var seed = SystemRandomNumberGenerator()
        machine = ChannelMachine(topics: topics, settings: linkOptions.settings, seed: seed.next())
        weakDelegate = delegate
        delegateWatch = DelegateWatch(isSet: delegate != nil)
        let logger = self.logger
        loop.forgotten.made(self) { logger.warning("\(endpoint.redacted) was never opened: call open()") }
    }

    deinit {
        // On another thread only `run()` tells of it.
        if loop.isCurrent { loop.forgotten.dropped(self)?() }
    }

    /// The topics wanted, in the order in which they were given.
    public var topics: [Topic] {
        loop.preconditionCurrent("NotificationChannel.topics")
        return machine.topics
    }

    /// Connects and subscribes. Calling it again does nothing.
    public func open() {
        loop.preconditionCurrent("NotificationChannel.open")
        guard machine.state == .idle else { return }
        loop.forgotten.opened(self)
        loop.retain(self)
        logger.debug("opening \(driver.redactedURI) with \(topics.count) topics")
        submit(machine.openRequested(now: loop.now))
    }

    /// Starts the closing handshake and stops delivery.
    ///
    /// Nothing but `channelDidClose` follows the return of this call: when the peer answered, or after
    /// `configuration.deadlines.close`, whichever is first. Calling it again does nothing.
    ///
    /// Source: RFC 6455 §7.1.2.
    public func close() {
        loop.preconditionCurrent("NotificationChannel.close")
        if machine.state == .idle {
            loop.forgotten.opened(self)
            loop.retain(self)
        }
        submit(machine.closeRequested(now: loop.now))
    }

    /// Moves to another channel URI without a break: the old connection lives until the new one is confirmed.
    ///
    /// If the new one fails, or the URI cannot be used, `didFailRollover` tells, and the old connection goes on. On a
    /// channel that ended it does nothing.
    ///
    /// - Parameter uri: the `connectUri` of the other channel.
    public func rollover(to uri: String) {
        loop.preconditionCurrent("NotificationChannel.rollover")
        do {
            let endpoint = try WebSocketURI(checking: uri)
            let id = try driver.add(endpoint, loop: loop, linkOptions: linkOptions)
            submit(machine.rolloverRequested(to: id, now: loop.now))
        } catch {
            guard machine.state != .ended else { return }
            submit([.tell(.didFailRollover(error.asKind(.rollover)))])
        }
    }

    /// Changes whom the channel trusts and what it shows, from its next connection on: a reconnect, or a rollover. The
    /// connection that is open goes on.
    ///
    /// For files that changed on the disk, `UVLoop.reloadTLS()` is enough.
    ///
    /// - Throws: `ChannelFailure` with reason `tlsHandshake` where the configuration cannot be used; nothing has
    ///   changed then.
    public func setTLS(_ tls: TLSConfiguration) throws {
        loop.preconditionCurrent("NotificationChannel.setTLS")
        var configuration = self.configuration
        configuration.tls = tls
        let changed = loop.sharedLinkOptions(configuration)
        try driver.prepare(changed, on: loop)
        linkOptions = changed
    }

    /// Stops reading: the service's data waits in the socket. Nobody's silence counts until `resume()`.
    ///
    /// Delivery stops with the message that is being delivered. However long the pause and however much the service
    /// sends, each connection of the channel keeps at most what one read brought, 64 KiB, and the message of which a
    /// part has arrived, at most `configuration.maxMessageSize`.
    public func pause() {
        loop.preconditionCurrent("NotificationChannel.pause")
        submit(machine.pauseRequested(now: loop.now))
    }

    /// Reads again after `pause()`.
    public func resume() {
        loop.preconditionCurrent("NotificationChannel.resume")
        submit(machine.resumeRequested(now: loop.now))
    }

    /// Adds topics. What the service refuses comes back in `didReject`.
    ///
    /// - Throws: `ChannelFailure` with reason `subscriptionRefused` for a topic it would not take, or beyond 1,000.
    public func subscribe(_ added: [Topic]) throws {
        try setTopics(topics + added)
    }

    /// Removes topics; unknown ones are ignored.
    public func unsubscribe(_ removed: [Topic]) {
        loop.preconditionCurrent("NotificationChannel.unsubscribe")
        let removed = Set(removed)
        submit(machine.topicsChanged(to: machine.topics.filter { !removed.contains($0) }, now: loop.now))
    }

    /// Replaces the topics; only the difference goes to the service.
    ///
    /// - Throws: `ChannelFailure` with reason `subscriptionRefused` for a topic it would not take, or beyond 1,000.
    public func setTopics(_ topics: [Topic]) throws {
        loop.preconditionCurrent("NotificationChannel.setTopics")
        submit(machine.topicsChanged(to: try NotificationChannel.checked(topics), now: loop.now))
    }

    /// The topics without duplicates, in order.
    static func checked(_ topics: [Topic]) throws -> [Topic] {
        var seen: Set<Topic> = []
        let unique = topics.filter { seen.insert($0).inserted }
        if let bad = unique.first(where: { !$0.isValid }) {
            throw ChannelFailure(
                kind: .subscription, reason: .subscriptionRefused, phase: .subscribe,
                message: "'\(bad.rawValue.prefix(60))' is not a topic: 1 to 200 characters without white space")
        }
        if unique.count > Topic.maxCount {
            throw ChannelFailure(
                kind: .subscription, reason: .subscriptionRefused, phase: .subscribe,
                message: "\(unique.count) topics are more than the \(Topic.maxCount) that one channel may have")
        }
        // The host's own array where nothing was taken out: channels with the same topics share it.
        return unique.count == topics.count ? topics : unique
    }
}

extension NotificationChannel {
    /// What the channel has done so far, and how it is now.
    public var statistics: ChannelStatistics {
        loop.preconditionCurrent("NotificationChannel.statistics")
        let now = loop.now.instant
        var statistics = ChannelStatistics()
        statistics.receivedCount = counters.receivedCount
        statistics.discardedCount = counters.discardedCount
        statistics.receivedByteCount = counters.receivedByteCount
        statistics.gapCount = counters.gapCount
        statistics.reconnectCount = machine.counts.reconnectCount
        statistics.rolloverCount = machine.counts.rolloverCount
        statistics.extensionCount = machine.counts.extensionCount
        statistics.unconfirmedTopicCount = machine.unconfirmed.count
        statistics.mergedRepeats = machine.deduplicator.mergedCount
        statistics.lastNotificationAge = counters.lastNotificationAt.map { now - $0 }
        statistics.silence = machine.current.map { now - $0.lastHeard.instant }
        statistics.pingRoundTrip = machine.current?.heartbeat.roundTrip
        statistics.connectionCount = driver.links.count
        for messages in driver.held.values {
            statistics.heldCount += messages.count
            statistics.heldByteCount += messages.reduce(0) { $0 + $1.count }
        }
        statistics.pendingCommandCount = (machine.current?.pending.count ?? 0) + (machine.candidate?.pending.count ?? 0)
        statistics.queuedByteCount = driver.links.reduce(0) { $0 + $1.queuedByteCount }
        return statistics
    }
}

/// A channel holds its URI, which is a bearer secret: neither printing nor dumping the channel shows it.
extension NotificationChannel: CustomStringConvertible, CustomReflectable {
    /// The redacted URI and the number of topics.
    public var description: String {
        "NotificationChannel(\(driver.redactedURI), \(machine.topics.count) topics)"
    }

    /// A mirror without children.
    public var customMirror: Mirror {
        Mirror(self, children: [])
    }
}
