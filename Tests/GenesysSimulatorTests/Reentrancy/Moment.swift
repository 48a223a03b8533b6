import GenesysLoop
import GenesysSimulator

/// A method of a delegate.
protocol Moment: Hashable, Sendable {
    var isTerminal: Bool { get }
    /// Whether the method delivers the peer's data, which a pause stops.
    var isDelivery: Bool { get }
}

/// A method of `NotificationChannelDelegate`.
enum ChannelMoment: CaseIterable, Moment {
    case didReceive, didFail, willExpire, didSubscribe, willReconnect, didFailRollover, didReject, didMiss, didDiscard
    case didRecover, didClose

    var isTerminal: Bool { self == .didFail || self == .didClose }
    var isDelivery: Bool { self == .didReceive || self == .didDiscard }
}

/// A method of `WebSocketClientDelegate`.
enum ClientMoment: CaseIterable, Moment {
    case didOpen, didReceiveText, didReceiveBinary, didReceivePong, didBecomeWritable, didClose, didFail

    var isTerminal: Bool { self == .didFail || self == .didClose }
    var isDelivery: Bool { self == .didReceiveText || self == .didReceiveBinary || self == .didReceivePong }
}
