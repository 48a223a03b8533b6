package import GenesysLoop

/// What the machine answers: actions for its driver, which performs them in order.
extension ProvisionedChannelMachine {
    package enum Action: Equatable, Sendable {
        /// A call of the REST machine; `callAnswered` follows. With a limit its last attempt starts then.
        case call(CallID, RESTCall, Token?, limit: Instant?)
        case cancel(CallID)
        /// The last attempt of a call starts at another time.
        case limit(CallID, Instant?)
        /// The service does not accept the token anymore.
        case discardToken(TokenID)
        /// Makes a `NotificationChannel` and opens it. With a total, that is the one of its first connection.
        case openChannel(SecretBytes, [Topic], total: Duration?)
        /// `rollover(to:)` of the open channel.
        case rollover(SecretBytes)
        /// `setTopics` of the open channel.
        case setTopics([Topic])
        /// `close()` of the open channel.
        case closeChannel
        case tell(Event)
        /// The terminal call.
        case finish(End)
    }

    package enum Event: Equatable, Sendable {
        /// A channel was made. The counts have the new one; `all` is nil if the service does not tell.
        case channelMade(ours: Int, all: Int?)
        /// A channel does not exist anymore, or not for us; another one takes its place.
        case channelGone(FailureReason)
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
}
