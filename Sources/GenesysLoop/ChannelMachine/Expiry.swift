/// What ends soon, and when.
public enum Expiry: Hashable, Sendable {
    /// The channel's life ends and is not, or could not be, extended.
    case lifetime(deadline: WallTime)
    /// The service closes this socket for maintenance; the channel itself continues.
    ///
    /// The service's notice carries no time: the deadline is its arrival plus 60 s, and the service may close sooner.
    case maintenance(deadline: WallTime)

    /// The end of the channel's life, or the expected end of the connection.
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
