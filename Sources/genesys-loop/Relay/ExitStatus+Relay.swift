import GenesysLoop
import GenesysRelay

extension ExitStatus {
    /// The status for the failure of a relay.
    init(_ failure: RelayFailure) {
        self =
            switch failure.reason {
            case .unreachable: .unavailable
            case .undelivered, .fenced, .leaseHeld: .undelivered
            case .outputFailed: .outputFailed
            case .protocolViolation: .protocolBroken
            case .notAuthorized: .notPermitted
            case .refused: .refused
            }
    }
}
