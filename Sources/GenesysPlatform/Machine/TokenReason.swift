/// Why a token is asked for.
public enum TokenReason: String, Hashable, Sendable {
    /// There is none yet.
    case first
    /// The present one ends soon.
    case renewal
    /// The service refused the present one.
    case refused
}
