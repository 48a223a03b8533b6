import ArgumentParser
import GenesysLoop

/// The tool's exit statuses, with the numbers of `sysexits.h`. Other programs rely on them.
enum ExitStatus: Int32 {
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
    /// The peer broke the protocol.
    case protocolBroken = 76
    /// Authorization refused, or a certificate not trusted.
    case notPermitted = 77
    /// The service refused the subscription.
    case refused = 78

    /// The status for a channel's failure, from the library's table.
    init(_ failure: ChannelFailure) {
        self =
            switch failure.consequence.exitStatus {
            case .usage: .usage
            case .channelGone: .channelGone
            case .unavailable: .unavailable
            case .protocolBroken: .protocolBroken
            case .notPermitted: .notPermitted
            case .refused: .refused
            }
    }

    /// Ends the command with this status.
    func end() throws {
        guard self != .success else { return }
        throw ExitCode(rawValue)
    }
}
