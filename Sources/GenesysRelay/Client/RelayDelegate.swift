/// What a `Relay` asks of its host, and what it reports.
///
/// - Thread: every call comes on the thread of the loop.
/// - Order: `relayWantsSource` comes once, when the engine has stored the first record; `relayWantsPause` and
///   `relayWantsResume` alternate after it. `didFail` and `relayDidClose` are terminal: exactly one of them comes, once
///   and last.
/// - Re-entrancy: every public call of `Relay` is legal inside every method, as are dropping the last reference and
///   setting `delegate` to nil. Running the loop is not.
/// - Retention: held weakly. Without a delegate the relay closes itself at the next call.
public protocol RelayDelegate: AnyObject {
    /// The engine stores records: open the channel now.
    func relayWantsSource(_ relay: Relay)

    /// The queue is full: call `pause()` of the channel.
    func relayWantsPause(_ relay: Relay)

    /// There is room again, or the channel was paused for long enough: call `resume()` of the channel.
    func relayWantsResume(_ relay: Relay)

    /// The time since the last byte of the service, heartbeats included: `statistics.silence` of a channel whose state
    /// is subscribed; nil for every other one.
    ///
    /// For several channels it is the longest one, and nil if one of them is not subscribed. The relay asks before it
    /// sends records, about once in a turn of the loop.
    func relaySourceSilence(_ relay: Relay) -> Duration?

    /// Something happened to the stream.
    func relay(_ relay: Relay, didReport event: RelayEvent)

    /// The relay ended, and records may be missing in the stream. Terminal.
    func relay(_ relay: Relay, didFail failure: RelayFailure)

    /// The relay is closed after `close()`, and everything is stored. Terminal.
    func relayDidClose(_ relay: Relay)
}

extension RelayDelegate {
    /// Does nothing.
    public func relay(_ relay: Relay, didReport event: RelayEvent) {}
    /// Does nothing.
    public func relayDidClose(_ relay: Relay) {}
}
