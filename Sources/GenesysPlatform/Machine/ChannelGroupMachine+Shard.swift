package import GenesysLoop

/// What a group knows about its shards.
extension ChannelGroupMachine {
    /// What the channel of a shard says about itself.
    package struct Report: Equatable, Sendable {
        package var state: ChannelState
        /// It moves to a fresh channel.
        package var isMoving: Bool
        /// It waits for its turn to make one.
        package var wait: ShardTurns.Wait?

        package init(state: ChannelState, isMoving: Bool = false, wait: ShardTurns.Wait? = nil) {
            self.state = state
            self.isMoving = isMoving
            self.wait = wait
        }
    }

    package enum Shard: Equatable, Sendable {
        case absent
        case running(Report)
        /// It has no topics anymore and closes.
        case leaving
        /// The service refused all its topics.
        case refused(ChannelFailure)
        case failed(ChannelFailure)
    }
}

extension ChannelGroupMachine.Shard {
    /// A channel of it is open.
    var isRunning: Bool {
        switch self {
        case .running, .leaving: true
        case .absent, .refused, .failed: false
        }
    }

    var isFailed: Bool { if case .failed = self { true } else { false } }

    /// Nil if nothing is to be received.
    package var channelState: ChannelState? {
        switch self {
        case .absent, .refused: nil
        case .leaving: .closing
        case .running(let report): report.state
        case .failed: .ended
        }
    }
}

extension ChannelFailure {
    /// The service refused all topics that a channel asked for over REST.
    var isOfTopics: Bool { reason == .subscriptionRefused && phase == .provision }
}

extension ProvisionedChannelMachine {
    /// Whether the call is the first one of a way to a channel, which may wait.
    package func isFirst(_ call: CallID) -> Bool { provisioning?.call == call && provisioning?.step == .counting }

    /// What a group is told.
    ///
    /// - Parameter held: the call with which it waits for its turn.
    package func report(held: CallID?, limit: Instant?) -> ChannelGroupMachine.Report {
        var report = ChannelGroupMachine.Report(state: channelState)
        if let held {
            let isLeft = channel.map { $0.token.id != token?.id } ?? false
            report.wait = ShardTurns.Wait(
                call: held, limit: limit, isMove: state == .live, end: isLeft ? channel?.token.end : nil)
        }
        switch move {
        case nil, .postponed: break
        case .preparing: report.isMoving = held == nil
        case .ready, .rollingOver: report.isMoving = true
        }
        return report
    }
}
