/// What the path of a request names.
enum RESTRoute: Hashable, Sendable {
    /// `/oauth/token`
    case token
    case channels
    case channel(String)
    case subscriptions(String)
    case availableTopics
    /// `/api/v2/tokens/me`
    case ownToken
    /// `/api/v2/users/me`
    case ownUser
    /// `/simulator/requests`, which the real service does not have.
    case requests
    case unknown

    /// Each path of the service.
    static let all: [RESTRoute] = [
        .token, .channels, .channel("x"), .subscriptions("x"), .availableTopics, .ownToken, .ownUser,
    ]

    /// - Parameter path: the parts between the slashes.
    init(path: [String]) {
        switch path {
        case ["oauth", "token"]: self = .token
        case ["simulator", "requests"]: self = .requests
        case ["api", "v2", "tokens", "me"]: self = .ownToken
        case ["api", "v2", "users", "me"]: self = .ownUser
        case ["api", "v2", "notifications", "availabletopics"]: self = .availableTopics
        default: self = Self.channel(path)
        }
    }

    private static func channel(_ path: [String]) -> RESTRoute {
        guard path.count >= 4, path[..<4] == ["api", "v2", "notifications", "channels"] else { return .unknown }
        switch (path.count, path.last) {
        case (4, _): return .channels
        case (5, _): return .channel(path[4])
        case (6, "subscriptions"): return .subscriptions(path[4])
        default: return .unknown
        }
    }

    /// The path without what may be a secret.
    var template: String {
        switch self {
        case .token: "/oauth/token"
        case .channels: "/api/v2/notifications/channels"
        case .channel: "/api/v2/notifications/channels/{id}"
        case .subscriptions: "/api/v2/notifications/channels/{id}/subscriptions"
        case .availableTopics: "/api/v2/notifications/availabletopics"
        case .ownToken: "/api/v2/tokens/me"
        case .ownUser: "/api/v2/users/me"
        case .requests: "/simulator/requests"
        case .unknown: "/…"
        }
    }

    /// The id of the channel that it names.
    var channelID: String? {
        switch self {
        case .channel(let id), .subscriptions(let id): id
        case .token, .channels, .availableTopics, .ownToken, .ownUser, .requests, .unknown: nil
        }
    }
}
