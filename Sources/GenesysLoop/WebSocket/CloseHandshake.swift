/// The closing handshake of one connection (RFC 6455 §7.1).
///
///     open ──closeRequested──▶ closeSent ──closeReceived──▶ exchanged ──▶ closed
///       │──closeReceived, reply──────────────────────────────▲            ▲
///       └──end of input─────────────────────────────────────────────────-─┘
///
/// A deadline for `closeSent` and `exchanged` is the driver's: the total time of a close, not the time since the last
/// byte. Source: RFC 6455 §7.1.1 to §7.1.7.
package struct CloseHandshake: Equatable, Sendable {
    /// How far the handshake is.
    package enum State: Equatable, Sendable {
        /// No Close frame yet.
        case open
        /// Ours is sent, the peer's is awaited.
        case closeSent
        /// Both are exchanged; a client waits for the server to end the TCP connection (RFC 6455 §7.1.1).
        case exchanged
        /// The connection has ended.
        case closed
    }

    /// What to do with an input.
    package enum Reply: Equatable, Sendable {
        /// Send a Close frame with this code, or with none.
        case sendClose(CloseCode?)
        /// Send nothing.
        case nothing
    }

    package private(set) var state: State = .open
    /// The code of the peer's Close frame, or what stands for it (RFC 6455 §7.1.5); nil as long as it is unknown.
    package private(set) var receivedCode: CloseCode?

    package init() {}

    /// Whether messages that arrive are still to be delivered: not after our own Close, nor after the peer's.
    package var mayStillDeliver: Bool { state == .open }

    /// Whether data may be sent: not after our Close (RFC 6455 §5.5.1).
    package var maySend: Bool { state == .open }

    /// Whether both Close frames were exchanged (RFC 6455 §7.1.4).
    package private(set) var isClean = false

    /// We want to close.
    ///
    /// Only the first request sends anything.
    package mutating func closeRequested(_ code: CloseCode?) -> Reply {
        switch state {
        case .open:
            state = .closeSent
            return .sendClose(code)
        case .closeSent, .exchanged, .closed:
            return .nothing
        }
    }

    /// The peer broke a rule: one Close frame with its code, then the connection is to be dropped without waiting
    /// (RFC 6455 §7.1.7).
    package mutating func violationDetected(_ violation: WebSocketViolation) -> Reply {
        switch state {
        case .open:
            state = .closed
            return .sendClose(violation.closeCode)
        case .closeSent, .exchanged, .closed:
            state = .closed
            return .nothing
        }
    }

    /// The peer's Close frame arrived.
    ///
    /// The answer to one that came first echoes its code (RFC 6455 §5.5.1).
    package mutating func closeReceived(_ code: CloseCode?) -> Reply {
        switch state {
        case .open:
            receivedCode = code ?? .noStatusReceived
            state = .exchanged
            isClean = true
            return .sendClose(code)
        case .closeSent:
            receivedCode = code ?? .noStatusReceived
            state = .exchanged
            isClean = true
            return .nothing
        case .exchanged, .closed:
            return .nothing
        }
    }

    /// The connection has ended, whoever ended it.
    ///
    /// Without a Close frame the code is 1006 (RFC 6455 §7.1.5).
    package mutating func eofReceived() {
        switch state {
        case .open, .closeSent, .exchanged:
            state = .closed
            if receivedCode == nil { receivedCode = .abnormalClosure }
        case .closed:
            if receivedCode == nil { receivedCode = .abnormalClosure }
        }
    }
}
