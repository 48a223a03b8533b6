/// What a service says in words may name the channel, whose id is the secret of its URI: that is taken out of whatever is
/// told of it. An answer to the upgrade and a Close frame have been looked at where they came in.
extension ChannelDriver {
    func withoutSecrets(_ event: ChannelMachine.Event) -> ChannelMachine.Event {
        switch event {
        case .willReconnect(var attempt):
            attempt.failure = withoutSecrets(attempt.failure)
            return .willReconnect(attempt)
        case .didFailRollover(let failure):
            return .didFailRollover(withoutSecrets(failure))
        case .didReject(var topics):
            topics.message = topics.message.map(withoutSecrets)
            return .didReject(topics)
        case .didSubscribe, .didMiss, .didRecover, .willExpire:
            return event
        }
    }

    func withoutSecrets(_ failure: ChannelFailure) -> ChannelFailure {
        var failure = failure
        failure.message = failure.message.map(withoutSecrets)
        return failure
    }

    private func withoutSecrets(_ text: String) -> String {
        endpoints.reduce(text) { $1.secretFilter.filtered($0) }
    }
}
