/// Why the server's half of the opening handshake was not accepted.
package enum UpgradeFailure: Error, Hashable, Sendable {
    /// An HTTP status other than 101, with what the response says about it.
    case refused(HTTPRefusal)
    /// A response that breaks a rule: one sentence, and where the rule stands.
    case invalid(reason: String, section: String)
}

extension UpgradeFailure: CustomStringConvertible {
    /// One sentence; it never holds what the server sent besides the status.
    package var description: String {
        switch self {
        case .refused(let refusal): return "The server answered the upgrade with status \(refusal.status)."
        case .invalid(let reason, let section): return "\(reason) (\(section))"
        }
    }
}
