import GenesysLoop

extension ChannelState {
    /// Why notifications do not arrive, in one sentence; nil if they do.
    ///
    /// - Parameter attempt: the last one of this outage.
    func obstacle(_ attempt: ReconnectAttempt?) -> String? {
        let detail = attempt.map { " (attempt \($0.number), \($0.reason))" } ?? ""
        switch self {
        case .subscribed, .rollingOver: return nil
        case .idle, .connecting: return "The channel is connecting: no subscription is confirmed yet\(detail)."
        case .recovering: return "The connection was lost, and the channel is connecting again\(detail)."
        case .closing, .ended: return "The channel is closing."
        }
    }
}
