/// What ends soon, and when.
public enum Expiry: Hashable, Sendable {
    /// The channel's life ends and is not, or could not be, extended.
    case lifetime(deadline: WallTime)
    /// The service closes this socket for maintenance; the channel itself continues.
    case maintenance(deadline: WallTime)

    /// The latest time at which it ends.
    public var deadline: WallTime {
        switch self {
        case .lifetime(let deadline), .maintenance(let deadline): deadline
        }
    }
}

extension Expiry: CustomStringConvertible {
    /// What ends, and when; the time is ISO 8601.
    public var description: String {
        switch self {
        case .lifetime(let deadline): "The channel's life ends at \(deadline)."
        case .maintenance(let deadline):
            "The service closes this connection for maintenance, at the latest at \(deadline)."
        }
    }
}
