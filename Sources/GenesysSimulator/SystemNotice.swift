extension SimulatedService {
    /// A message of the service about a channel, other than the maintenance notice.
    ///
    /// The real topic names and bodies are not public for this kind of connection; these follow the official model of
    /// system messages.
    public enum SystemNotice: String, Hashable, Sendable, CaseIterable {
        /// Another channel took over; the channel lost its topics.
        case noLongerSubscribed = "no_longer_subscribed"
        /// The topics were changed elsewhere.
        case subscriptionChanged = "subscription_changed"
        /// The tokens of the user were revoked.
        case tokenRevoked = "token_revoked"
        /// Another connection took the channel id.
        case duplicateID = "duplicate_id"

        /// The reason that the body names, if the model has one.
        var reason: String? {
            switch self {
            case .noLongerSubscribed: "another_channel_subscribed"
            case .tokenRevoked: "user_tokens_revoked"
            case .subscriptionChanged, .duplicateID: nil
            }
        }

        var message: String {
            switch self {
            case .noLongerSubscribed: "This channel no longer receives notifications"
            case .subscriptionChanged: "The subscriptions of this channel were changed"
            case .tokenRevoked: "The tokens of the user were revoked"
            case .duplicateID: "Another connection uses this channel"
            }
        }
    }
}
