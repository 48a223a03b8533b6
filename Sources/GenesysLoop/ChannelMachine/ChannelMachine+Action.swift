/// What the machine answers: actions for its driver, which performs them in order.
extension ChannelMachine {
    package enum Action: Equatable, Sendable {
        case connect(LinkID, EndpointID)
        case send(LinkID, OutgoingCommand)
        /// Starts the closing handshake; `linkEnded` follows.
        case sendClose(LinkID)
        /// Closes it in order, in the background; nothing follows.
        case retire(LinkID)
        /// Abandons it at once; nothing follows.
        case drop(LinkID)
        case pauseReading(LinkID)
        case resumeReading(LinkID)
        /// Delivers what was held for the link, each through `heldNotificationReleased`.
        case releaseHeld(LinkID)
        case tell(Event)
        /// Logs that a confirmation did not name these topics.
        case warn(unconfirmed: [Topic])
        /// Drops what is left; the terminal call follows when the last handle is closed.
        case finish(End)
    }

    package enum Event: Equatable, Sendable {
        case didSubscribe([Topic])
        case willReconnect(ReconnectAttempt)
        case didFailRollover(ChannelFailure)
        case didReject(RejectedTopics)
        case didMiss(Gap)
        case didRecover(Recovery)
        case willExpire(Expiry)
    }

    package enum End: Equatable, Sendable {
        case closed
        case failed(ChannelFailure)
    }

    /// What to do with a notification.
    package enum Verdict: Equatable, Sendable {
        case deliver
        /// Keep a copy: it must not overtake unread messages on the old socket.
        case hold
        case ignore
    }
}
