extension SimulatedService {
    /// The driver's answer to an upgrade request.
    public enum UpgradeAnswer: Hashable, Sendable {
        /// 101; the socket is open from now on.
        case accept(SocketID)
        /// An HTTP error, then the end of the connection.
        case refuse(Refusal)
        /// A TCP reset instead of an answer.
        case reset
        /// No answer at all.
        case neverAnswer
    }

    /// A channel that was just created, as the REST call would describe it.
    public struct CreatedChannel: Hashable, Sendable {
        /// `streaming-`, a digit, `-`, and 26 characters of `0-9a-v`.
        public var id: String
        /// When its life ends unless it is renewed, as the time since the driver's origin.
        public var expires: Duration
        /// The request target of its URI.
        public var target: String { "/channels/\(id)" }
    }
}
