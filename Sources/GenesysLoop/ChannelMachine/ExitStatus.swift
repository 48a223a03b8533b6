/// How the package's programs end, with the numbers of `sysexits.h`. Other programs rely on them.
package enum ExitStatus: Int32, Sendable, CaseIterable {
    /// Done, or interrupted and closed cleanly.
    case success = 0
    /// Wrong usage: an invalid or missing argument, a file that cannot be used.
    case usage = 64
    /// The channel is gone, or belongs to another client: a new one is needed.
    case channelGone = 66
    /// The connection could not be made or recovered.
    case unavailable = 69
    /// Standard output could not be written.
    case outputFailed = 74
    /// A relay ended before everything was stored.
    case undelivered = 75
    /// The peer broke the protocol.
    case protocolBroken = 76
    /// Authorization refused, or a certificate not trusted.
    case notPermitted = 77
    /// The service refused the subscription.
    case refused = 78

    /// The status for a channel's failure.
    package init(_ failure: ChannelFailure) { self = failure.consequence.exitStatus }
}
