import GenesysLoop
import GenesysSimulator

/// A method of a delegate.
protocol Moment: Hashable, Sendable {
    var isTerminal: Bool { get }
    /// Whether the method delivers the peer's data, which a pause stops.
    var isDelivery: Bool { get }
}

/// A method of `NotificationChannelDelegate`; `channel(_:didChange:)` for each state that it reports.
enum ChannelMoment: CaseIterable, Moment {
    case didReceive, didFail, willExpire, didSubscribe, willReconnect, didFailRollover, didReject, didMiss, didDiscard
    case didRecover, didClose
    case becameConnecting, becameSubscribed, becameRecovering, becameRollingOver, becameEnded

    var isTerminal: Bool { self == .didFail || self == .didClose }
    var isDelivery: Bool { self == .didReceive || self == .didDiscard }

    /// The change to `state`; nil for states that are not reported.
    init?(_ state: ChannelState) {
        switch state {
        case .connecting: self = .becameConnecting
        case .subscribed: self = .becameSubscribed
        case .recovering: self = .becameRecovering
        case .rollingOver: self = .becameRollingOver
        case .ended: self = .becameEnded
        case .idle, .closing: return nil
        }
    }
}

/// A method of `WebSocketClientDelegate`.
enum ClientMoment: CaseIterable, Moment {
    case didOpen, didReceiveText, didReceiveBinary, didReceivePong, didBecomeWritable, didClose, didFail

    var isTerminal: Bool { self == .didFail || self == .didClose }
    var isDelivery: Bool { self == .didReceiveText || self == .didReceiveBinary || self == .didReceivePong }
}
