extension SimulatedService {
    /// What the driver must do.
    public enum Action: Hashable, Sendable {
        /// Send a text message. The bytes are UTF-8 unless an operator injected others.
        case send(SocketID, [UInt8])
        /// Send a binary message, which the real service never does.
        case sendBinary(SocketID, [UInt8])
        /// Send a Close frame, then end the connection cleanly.
        case close(SocketID, code: UInt16, reason: String)
        /// End the connection abruptly, without a Close frame.
        case drop(SocketID)
        /// Reset the connection: data in transit is lost in both directions.
        case reset(SocketID)

        /// The socket it concerns.
        public var socket: SocketID {
            switch self {
            case .send(let socket, _), .sendBinary(let socket, _), .close(let socket, _, _), .drop(let socket),
                .reset(let socket):
                socket
            }
        }

        /// Whether the machine has forgotten the socket with this action.
        public var endsSocket: Bool {
            switch self {
            case .send, .sendBinary: false
            case .close, .drop, .reset: true
            }
        }
    }

    /// The channels that an operator selects.
    public enum Target: Hashable, Sendable {
        /// Every channel.
        case all
        /// The channel with this id.
        case channel(String)
    }
}
