import GenesysLoop
import ToolSupport

/// The statuses of this program: `success` after the closing handshake, or for a server after a signal; `unavailable`;
/// `outputFailed`; `protocolBroken`.
extension ExitStatus {
    /// The status for a client's failure.
    init(_ reason: FailureReason) {
        switch reason {
        case .protocolViolation, .messageTooLarge, .invalidHandshake: self = .protocolBroken
        default: self = .unavailable
        }
    }

    /// Ends a run after one sentence about the cause on standard error.
    static func failed(_ status: ExitStatus, _ sentence: some CustomStringConvertible) -> ExitStatus {
        StandardError.write("\(sentence)")
        return status
    }
}
