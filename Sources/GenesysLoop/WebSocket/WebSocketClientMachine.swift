/// The life of one WebSocket connection as its user sees it: what may be sent, delivered and told, and how it ended.
///
///     idle ──openRequested──▶ connecting ──linkOpened──▶ open ──closeRequested──▶ closing
///      │                          │                       │                         │
///      └── closeRequested ────────┴── closeRequested, ────┴── linkEnded ────────────┴──▶ ended
///                                     linkEnded
///
/// The link below knows the frames and the deadlines; here is what its user is promised. After `closeRequested` nothing
/// is delivered or told but the end, and that is `closed`, whatever becomes of the connection. While more than the
/// high-water mark is queued nothing is taken; at the low one the user is told so, once.
///
/// Source: RFC 6455 §7.1.
package struct WebSocketClientMachine: Equatable, Sendable {
    /// How far it is.
    package enum State: Equatable, Sendable {
        case idle
        case connecting
        case open
        /// We want to close, and wait for the peer's Close frame.
        case closing
        case ended(End)
    }

    /// How it ended.
    package enum End: Equatable, Sendable {
        /// In order, or because we wanted it.
        case closed(CloseCode, reason: String)
        /// In any other way; the driver knows which.
        case failed
    }

    /// What the driver is to do.
    package enum Action: Equatable, Sendable {
        case connect
        case sendClose(CloseCode, reason: String)
        case tell(Event)
        /// Let go of everything, then tell `State.ended`.
        case finish
    }

    /// What is told besides messages and the end.
    package enum Event: Equatable, Sendable {
        case didOpen
        case didBecomeWritable
    }

    /// What becomes of something to be sent.
    package enum SendVerdict: Equatable, Sendable {
        case send
        case wouldBlock
        case notOpen
    }

    package private(set) var state: State = .idle
    private var isPaused = false
    /// Something was refused, and its sender is to be told when there is room again.
    private var owesWritable = false
    private let highWaterMark: Int
    private let lowWaterMark: Int

    /// Creates the machine.
    ///
    /// - Parameters:
    ///   - highWaterMark: from this many queued bytes on nothing more is taken.
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

    /// Whether the link is to leave what arrives in the socket: never while it waits for the peer's Close frame.
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

    /// RFC 6455 §7.1.2; before the upgrade there is nobody to say goodbye to.
    package mutating func closeRequested(_ code: CloseCode, reason: String) -> [Action] {
        switch state {
        case .idle, .connecting:
            state = .ended(.abandoned)
            return [.finish]
        case .open:
            state = .closing
            return [.sendClose(code, reason: reason)]
        case .ended(.failed):
            // Not told yet: the request overtakes it.
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

    /// Something is to be sent, a ping or a message of any size, on top of what is queued.
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

    /// The link is over, and its server named another place.
    package mutating func linkRedirected() -> [Action] {
        switch state {
        case .connecting: [.connect]
        case .idle, .open, .closing, .ended: []
        }
    }

    /// Whether the user waits to be told of room, and there is some.
    package func hasRoomToTell(at queuedByteCount: @autoclosure () -> Int) -> Bool {
        state == .open && owesWritable && queuedByteCount() <= lowWaterMark
    }

    /// The queue got shorter, or may have.
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
    /// The end that we wanted and that the peer did not confirm (RFC 6455 §7.1.5).
    package static let abandoned = Self.closed(.abnormalClosure, reason: "")
}
