/// What a channel is doing.
///
///     idle ──▶ connecting ──▶ subscribed ◀──▶ rollingOver
///                              ▲     │             │
///                              │     ▼             │
///                             recovering ◀─────────┘
///
///     close() ──▶ closing, if a connection is open ──▶ ended        all but idle ──final failure──▶ ended
public enum ChannelState: String, Hashable, Sendable, CaseIterable {
    /// Made and not opened.
    case idle
    /// Making the first connection, or waiting for the next attempt at it.
    case connecting
    /// The service has confirmed the subscription; without topics, the connection is open.
    case subscribed
    /// The connection was lost: the channel reconnects, or waits for the next attempt.
    case recovering
    /// A second connection is taking over. The first one delivers until then; if it ends early, the second one does.
    case rollingOver
    /// `close()` was called and the closing handshake is in progress.
    case closing
    /// Closed, or failed for good; the terminal call came, or comes when the last handle is closed.
    case ended

    /// Whether the channel is in order: `subscribed` or `rollingOver`.
    ///
    /// A health check needs no more than this. It stays true while the host pauses the channel.
    public var isSubscribed: Bool { self == .subscribed || self == .rollingOver }
}

extension ChannelState: CustomStringConvertible {
    /// The stable name of the state.
    public var description: String { rawValue }
}

extension ChannelMachine {
    /// The state as the host sees it.
    package var channelState: ChannelState {
        switch state {
        case .idle: .idle
        case .waiting, .attempting: isEverConfirmed ? .recovering : .connecting
        case .live: .subscribed
        case .rollingOver, .handedOver, .draining: .rollingOver
        case .closing: .closing
        case .ended: .ended
        }
    }
}
