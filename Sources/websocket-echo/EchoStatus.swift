import ArgumentParser
import GenesysLoop
import ToolSupport

/// The program's exit statuses, with the numbers of `sysexits.h`. Other programs rely on them.
enum EchoStatus: Int32 {
    /// The closing handshake was completed; a server was interrupted.
    case success = 0
    /// The connection could not be made, or ended without a closing handshake.
    case unavailable = 69
    /// Standard output could not be written.
    case outputFailed = 74
    /// The peer broke the protocol: WebSocket, HTTP or TLS.
    case protocolBroken = 76

    /// The status for a client's failure.
    init(_ reason: FailureReason) {
        switch reason {
        case .protocolViolation, .messageTooLarge, .invalidHandshake: self = .protocolBroken
        default: self = .unavailable
        }
    }

    /// Ends the command with this status.
    func end() throws {
        guard self != .success else { return }
        throw ExitCode(rawValue)
    }

    /// Ends a run after one sentence about the cause on standard error.
    static func failed(_ status: EchoStatus, _ sentence: some CustomStringConvertible) -> EchoStatus {
        StandardError.write("\(sentence)")
        return status
    }
}
