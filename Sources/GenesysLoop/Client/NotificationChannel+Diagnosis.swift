/// What a diagnosis of the channel's connection needs beside its callbacks.
extension NotificationChannel {
    /// What the channel trusts; nil without TLS.
    package var trust: TrustReport? {
        loop.preconditionCurrent("NotificationChannel.trust")
        return driver.endpoints.first.flatMap { try? linkOptions.link(to: $0, on: loop).context?.trust }
    }

    /// The topics that the service did not name when it confirmed the subscription.
    package var unconfirmedTopics: [Topic] {
        loop.preconditionCurrent("NotificationChannel.unconfirmedTopics")
        return machine.subscriptions.unconfirmed.sorted(by: Topic.precedes)
    }
}
