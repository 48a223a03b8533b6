/// The settings of a channel that its machine needs.
///
/// Durations are limits, counted from the named event.
package struct ChannelSettings: Equatable, Sendable {
    /// From the confirmation to the extension.
    ///
    /// 23 h.
    package var lifetime: Duration = .seconds(23 * 3600)
    package var extendsLifetime = true
    package var reconnect: ReconnectPolicy = .backoff(.init())
    package var rollover: RolloverPolicy = .automatic
    package var takeover: TakeoverPolicy = .reconnect
    /// Without a byte, until the application ping.
    package var heartbeatSilence: Duration = .seconds(35)
    /// From the ping to the verdict.
    package var heartbeatGrace: Duration = .seconds(7)
    /// From a command to the verdict; it is sent again at half of it.
    package var commandTimeout: Duration = .seconds(10)
    /// From `close()` until the link is dropped without the peer's answer.
    package var closeTimeout: Duration = .seconds(5)
    /// From the confirmation on the new socket of a rollover to the end of the old one.
    package var drainTimeout: Duration = .seconds(1)
    /// From the maintenance notice to the service's own end of the socket.
    package var maintenanceNotice: Duration = .seconds(60)
    /// After the maintenance notice, uniform from zero: spreads the channels of one process.
    package var rolloverJitter: Duration = .zero
    /// The limit, in bytes, of held notifications that arrived on the new socket before the old one ended.
    package var maxHeldByteCount = 4 * 1024 * 1024

    package init() {}
}
