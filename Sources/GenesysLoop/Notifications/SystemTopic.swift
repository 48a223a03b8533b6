/// What a message on a system topic says about the channel.
///
/// The service's names are spelled `v2.system.<name>` on the JSON dialect and `system.v2.<name>.<channel id>` on the
/// XMPP one; both are known (Genesys Cloud SDK, model `SystemMessageSystemMessage`). `socket_closing` is a kind of
/// message of its own.
package enum SystemTopic: Equatable, Sendable {
    /// The channel lost its subscriptions to another one.
    case noLongerSubscribed
    /// Another connection uses this channel's id.
    case duplicateID
    /// The list of topics was changed elsewhere.
    case subscriptionChanged
    /// The tokens of the channel's user were revoked.
    case tokenRevoked
    /// A name that is not known.
    case unknown

    /// The topic of a lower-case name without its prefix.
    init(name: some StringProtocol) {
        switch name {
        case "no_longer_subscribed": self = .noLongerSubscribed
        case "duplicate_id": self = .duplicateID
        case "subscription_changed": self = .subscriptionChanged
        case "token_revoked": self = .tokenRevoked
        default: self = .unknown
        }
    }
}
