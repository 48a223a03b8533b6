/// Why the server's half of the opening handshake was not accepted.
package enum UpgradeFailure: Error, Hashable, Sendable {
    /// An HTTP status other than 101, with the headers that say what to do about it.
    ///
    /// `retryAfter` is known only in its form of seconds, `location` is as the server sent it.
    case status(code: Int, retryAfter: Duration?, location: String?)
    /// A response that breaks a rule: one sentence, and where the rule stands.
    case invalid(reason: String, section: String)
}

extension UpgradeFailure: CustomStringConvertible {
    /// One sentence; it never holds what the server sent besides the status.
    package var description: String {
        switch self {
        case .status(let code, let retryAfter, _):
            guard let retryAfter else { return "The server answered the upgrade with status \(code)." }
            let seconds = retryAfter.components.seconds
            return "The server answered the upgrade with status \(code), to be tried again after \(seconds) s."
        case .invalid(let reason, let section): return "\(reason) (\(section))"
        }
    }
}
