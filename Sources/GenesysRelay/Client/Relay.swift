public import GenesysLoop

/// Takes the notifications of a channel into the stream of an engine, in order and once.
///
///     let relay = try Relay(name: "support", target: .file("/var/lib/stream"), on: loop, delegate: host)
///     relay.open()
///
/// The host passes on what the delegate of its channel receives, whatever kind of channel that is: each notification to
/// `append(_:)`, each gap to `report(_:)`, the first confirmation to `sourceDidSubscribe()`. Every notification that it
/// passes on is in the stream, in order, once; where that cannot be known, a gap record says from when to when.
///
/// What the engine has not acknowledged is kept, in at most twice `RelayConfiguration.queueBytes` and 8 MiB, and sent
/// again when the engine was lost.
///
/// From `open()` to its terminal call the loop retains the relay. All calls belong on the loop's thread and trap
/// elsewhere; all of them are legal inside every delegate method. Nothing is delivered from within a call.
public final class Relay {
    /// The name: the records have the source `genesys/NAME`.
    public let name: String
    /// Where the records go.
    public let target: RelayTarget
    /// The configuration.
    public let configuration: RelayConfiguration
    /// The loop that drives the relay.
    public let loop: UVLoop

    /// The delegate, held weakly. Setting it to nil closes the relay at the next call.
    public var delegate: (any RelayDelegate)? {
        get {
            loop.preconditionCurrent("Relay.delegate")
            return weakDelegate
        }
        set {
            loop.preconditionCurrent("Relay.delegate")
            weakDelegate = newValue
        }
    }

    weak var weakDelegate: (any RelayDelegate)?
    var machine: RelayMachine
    let sink: any RelaySink
    let deadLetters: DeadLetterFile?
    var pending = Fifo<RelayMachine.Action>()
    var isPerforming = false
    var isScheduled = false
    var timer: Timer?
    /// What the timer is armed for.
    var deadline: Instant?
    /// Between `open()` and the terminal call.
    var isOpen = false
    /// What its terminal call says, while the sink closes.
    var ending: RelayMachine.End?
    /// The sink, and the file of dead letters.
    var openCount = 0
    /// Why the sink fails for good, as far as the machine does not tell.
    var endReason: RelayFailure.Reason?
    /// Nil for an engine without a lease.
    var holding: Holding?
    var isConnected = false
    var record = Record()

    /// Makes a relay. It does nothing until `open()`.
    ///
    /// - Parameters:
    ///   - name: 1 to 64 letters, digits, `.`, `_` and `-` of ASCII. One relay of a name may write to a target.
    ///   - target: the engine, or a file.
    ///   - loop: drives the relay.
    ///   - delegate: receives the events; held weakly. It may be set later, before `open()`.
    ///   - configuration: how the relay behaves.
    /// - Throws: `RelayError` for a name, a target or a configuration that cannot be used, or if the system has no
    ///   resources.
    /// - Precondition: called on the loop's thread.
    public convenience init(
        name: String, target: RelayTarget, on loop: UVLoop, delegate: (any RelayDelegate)? = nil,
        configuration: RelayConfiguration = RelayConfiguration()
    ) throws(RelayError) {
        loop.preconditionCurrent("Relay.init")
        let sink = try target.sink(name: name, configuration, on: loop)
        try self.init(
            name: name, target: target, sink: sink, on: loop, delegate: delegate, configuration: configuration)
    }

    /// Makes a relay with another sink.
    init(
        name: String, target: RelayTarget, sink: any RelaySink, on loop: UVLoop,
        delegate: (any RelayDelegate)? = nil, configuration: RelayConfiguration = RelayConfiguration()
    ) throws(RelayError) {
        try Relay.check(name: name)
        try configuration.check()
        do throws(UVLoopError) {
            deadLetters = try configuration.deadLetterFile.map { path throws(UVLoopError) in
                try DeadLetterFile(path: path, on: loop)
            }
        } catch {
            throw RelayError("The relay cannot start: \(error)")
        }
        var seed = SystemRandomNumberGenerator()
        self.name = name
        self.target = target
        self.sink = sink
        self.loop = loop
        self.configuration = configuration
        let owner = RelayOwner.make(using: &seed)
        machine = RelayMachine(name: name, owner: owner, settings: configuration.settings, seed: seed.next())
        if let store = sink as? any RelayLeaseStore {
            holding = Holding(
                store: store, machine: LeaseMachine(owner: owner, lease: configuration.lease, seed: seed.next()))
        }
        weakDelegate = delegate
    }

    /// - Throws: for a name that no relay may have.
    package static func check(name: String) throws(RelayError) {
        let isValid = name.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || [0x2D, 0x2E, 0x5F].contains($0)
        }
        guard isValid, (1...64).contains(name.utf8.count) else {
            throw RelayError("The name of a relay has 1 to 64 letters, digits, dots, underscores and hyphens of ASCII.")
        }
    }

    /// What the relay has done so far, and its current state.
    public var statistics: RelayStatistics {
        loop.preconditionCurrent("Relay.statistics")
        return currentStatistics
    }

    /// Connects to the engine. Calling it again does nothing.
    ///
    /// - Precondition: the relay was given a delegate. Keep it: the relay does not.
    public func open() {
        loop.preconditionCurrent("Relay.open")
        guard machine.state == .idle, !isOpen else { return }
        precondition(
            weakDelegate != nil,
            "Relay.open() was called without a delegate: set one before, and keep it, as it is held weakly.")
        begin()
        sink.delegate = self
        openDeadLetters()
        submit(machine.openRequested(now: loop.now))
    }

    /// Ends the relay, when what it was given is stored; it takes nothing more.
    ///
    /// The terminal call follows: `relayDidClose` when everything is stored, `didFail` when that takes longer
    /// than `RelayConfiguration.drainLimit`, or fails. Calling it again does nothing.
    public func close() {
        loop.preconditionCurrent("Relay.close")
        guard !record.isClosing else { return }
        record.isClosing = true
        if !isOpen, machine.state == .idle { begin() }
        submit(machine.closeRequested(now: loop.now))
    }

    /// Takes a notification into the queue: one copy, and no allocation beyond it.
    ///
    /// Before `open()`, and after `close()` or the terminal call, it does nothing.
    public func append(_ notification: borrowing ChannelNotification) {
        loop.preconditionCurrent("Relay.append")
        guard isTaking else { return }
        let now = loop.now
        record.lastNotificationAt = now.instant
        let topic = notification.topicBytes
        let correlation = notification.correlationIDBytes
        if topic.hasEscape || correlation.hasEscape {
            appendDecoded(notification, now: now)
        } else if machine.received(topic: topic, correlation: correlation, data: notification.bytes, now: now) {
            pending.append(contentsOf: machine.takeActions())
        }
        schedule()
    }

    /// Takes a gap that the channel reported: it becomes a record of the stream.
    public func report(_ gap: Gap) {
        loop.preconditionCurrent("Relay.report")
        guard isTaking else { return }
        submit(machine.sourceMissed(gap, now: loop.now))
    }

    /// The subscription is confirmed for the first time; with several channels, all of them are subscribed.
    ///
    /// Calling it again does nothing.
    ///
    /// From here on nothing is missed without a gap that is reported. What the stream lacks since its previous writer
    /// becomes a gap record.
    public func sourceDidSubscribe() {
        loop.preconditionCurrent("Relay.sourceDidSubscribe")
        guard isTaking else { return }
        submit(machine.sourceConfirmed(now: loop.now))
    }

    /// Opens a file of the target, and that of the dead letters, again by its path: the old one was moved away.
    ///
    /// A file that cannot be opened stays as it was: what was open is still written to.
    ///
    /// - Parameter completion: gets a sentence for each file that cannot be opened. Not called if the relay is not
    ///   open, or ends before.
    public func reopenFiles(completion: @escaping (_ failures: [String]) -> Void = { _ in }) {
        loop.preconditionCurrent("Relay.reopenFiles")
        guard isOpen, ending == nil else { return }
        let reopenLetters = { [deadLetters] (failures: [String]) in
            guard let deadLetters else { return completion(failures) }
            deadLetters.reopen { completion(failures + [$0].compactMap(\.self)) }
        }
        guard let file = sink as? FileSink else {
            loop.schedule(after: .zero) { reopenLetters([]) }
            return
        }
        file.reopen { reopenLetters([$0].compactMap(\.self)) }
    }
}

/// Neither printing nor dumping it shows a secret.
extension Relay: CustomStringConvertible, CustomReflectable {
    /// Name and target.
    public var description: String { "Relay(\(name), \(target))" }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
