/// The life of one WebSocket connection as its user sees it: what may be sent, delivered and reported, and how it
/// ended.
///
///     idle ──openRequested──▶ connecting ──linkOpened──▶ open ──closeRequested──▶ closing
///      │                          │                       │                         │
///      └── closeRequested ────────┴── closeRequested, ────┴── linkEnded ────────────┴──▶ ended
///                                     linkEnded
///
/// The link below handles frames and deadlines; this machine keeps the promises to the user. After `closeRequested`
/// only the end is reported, and it is `closed`, whatever happens to the connection. While more than the high-water
/// mark is queued, nothing is accepted; at the low-water mark the user is notified, once.
///
/// Source: RFC 6455 §7.1.
package struct WebSocketClientMachine: Equatable, Sendable {
    /// The state of the connection.
    package enum State: Equatable, Sendable {
        case idle
        case connecting
        case open
        /// We closed, and wait for the peer's Close frame.
        case closing
        case ended(End)
    }

    /// How it ended.
    package enum End: Equatable, Sendable {
        /// In order, or at our request.
        case closed(CloseCode, reason: String)
        /// In any other way; the driver knows the cause.
        case failed
    }

    /// What the driver must do.
    package enum Action: Equatable, Sendable {
        case connect
        case sendClose(CloseCode, reason: String)
        case tell(Event)
        /// Release everything, then report `State.ended`.
        case finish
    }

    /// What is reported besides messages and the end.
    package enum Event: Equatable, Sendable {
        case didOpen
        case didBecomeWritable
    }

    /// The outcome of a request to send.
    package enum SendVerdict: Equatable, Sendable {
        case send
        case wouldBlock
        case notOpen
    }

    package private(set) var state: State = .idle
    private var isPaused = false
    /// A send was refused; its sender must be notified when there is room again.
    private var owesWritable = false
    private let highWaterMark: Int
    private let lowWaterMark: Int

    /// Creates the machine.
    ///
    /// - Parameters:
    ///   - highWaterMark: from this many queued bytes on, nothing more is accepted.
    ///   - lowWaterMark: at this many there is room again; not above `highWaterMark`, and not below 0.
    package init(highWaterMark: Int, lowWaterMark: Int) {
        self.highWaterMark = max(1, highWaterMark)
        self.lowWaterMark = Self.effective(lowWaterMark: lowWaterMark, highWaterMark: highWaterMark)
    }

    /// The low-water mark, less than the high one.
    package static func effective(lowWaterMark: Int, highWaterMark: Int) -> Int {
        max(0, min(lowWaterMark, highWaterMark - 1))
    }

    /// Whether messages and events may reach the user.
    package var isDelivering: Bool { state == .open }

    /// Whether the link must stop reading from the socket: never while it waits for the peer's Close frame.
    package var wantsPause: Bool { state == .open && isPaused }

    // MARK: - The user

    package mutating func openRequested() -> [Action] {
        switch state {
        case .idle:
            state = .connecting
            return [.connect]
        case .connecting, .open, .closing, .ended:
            return []
        }
    }

    /// RFC 6455 §7.1.2; before the upgrade there is no peer to send a Close frame to.
    package mutating func closeRequested(_ code: CloseCode, reason: String) -> [Action] {
        switch state {
        case .idle, .connecting:
            state = .ended(.abandoned)
            return [.finish]
        case .open:
            state = .closing
            return [.sendClose(code, reason: reason)]
        case .ended(.failed):
            // Not reported yet: the request overrides it.
            state = .ended(.abandoned)
            return []
        case .closing, .ended(.closed):
            return []
        }
    }

    package mutating func pauseRequested() {
        isPaused = true
    }

    package mutating func resumeRequested() {
        isPaused = false
    }

    /// A request to send a ping or a message of any size, in addition to what is queued.
    package mutating func sendRequested(queuedByteCount: Int) -> SendVerdict {
        switch state {
        case .open:
            guard queuedByteCount >= highWaterMark else { return .send }
            owesWritable = true
            return .wouldBlock
        case .idle, .connecting, .closing, .ended:
            return .notOpen
        }
    }

    // MARK: - The link

    package mutating func linkOpened() -> [Action] {
        switch state {
        case .connecting:
            state = .open
            return [.tell(.didOpen)]
        case .idle, .open, .closing, .ended:
            return []
        }
    }

    /// The link is over, and its server redirected.
    package mutating func linkRedirected() -> [Action] {
        switch state {
        case .connecting: [.connect]
        case .idle, .open, .closing, .ended: []
        }
    }

    /// Whether the user waits for room, and there is some.
    package func hasRoomToTell(at queuedByteCount: @autoclosure () -> Int) -> Bool {
        state == .open && owesWritable && queuedByteCount() <= lowWaterMark
    }

    /// The queue shrank, or may have.
    package mutating func queueShrank(to queuedByteCount: Int) -> [Action] {
        guard hasRoomToTell(at: queuedByteCount) else { return [] }
        owesWritable = false
        return [.tell(.didBecomeWritable)]
    }

    /// The link is over: after a Close frame of the peer `closed`, otherwise `failed`.
    package mutating func linkEnded(_ end: End) -> [Action] {
        switch state {
        case .connecting, .open:
            state = .ended(end)
            return [.finish]
        case .closing:
            state = .ended(end == .failed ? .abandoned : end)
            return [.finish]
        case .idle, .ended:
            return []
        }
    }
}

extension WebSocketClientMachine.End {
    /// The end that we asked for and that the peer did not confirm (RFC 6455 §7.1.5).
    package static let abandoned = Self.closed(.abnormalClosure, reason: "")
}
