package import GenesysLoop

/// What a call obtained.
package enum RESTValue: Hashable, Sendable {
    case token(SecretBytes, lifetime: Duration?)
    case channel(ListedChannel)
    case channels([ListedChannel])
    case topics([TopicVerdict])
    case tokenDescription(TokenDescription)
    case catalog([AvailableTopic])
    case done
}

/// A channel as the service shows it.
package struct ListedChannel: Hashable, Sendable {
    /// Nil for a channel of another token, of which only the existence is shown.
    package var id: SecretBytes?
    package var uri: SecretBytes?
    /// The rest of its life when the service answered, by the clock of the service.
    package var remaining: Duration?
}

/// What the service decided about one topic.
package struct TopicVerdict: Hashable, Sendable {
    package var topic: Topic
    package var isPermitted: Bool
    package var reason: String?
    package var missingPermissions: [String]

    package init(_ topic: Topic, isPermitted: Bool, reason: String? = nil, missingPermissions: [String] = []) {
        self.topic = topic
        self.isPermitted = isPermitted
        self.reason = reason
        self.missingPermissions = missingPermissions
    }
}

/// The owner of a token.
package struct TokenDescription: Hashable, Sendable {
    package var organization: String?
    package var client: String?
    /// The grant of the OAuth client, for example `CLIENT_CREDENTIALS`.
    package var grant: String?
    /// Whether a user stands behind it.
    package var hasUser: Bool
}

/// A topic of the service's catalog.
package struct AvailableTopic: Hashable, Sendable {
    /// With the placeholder `{id}`.
    package var pattern: String
    package var isPreview: Bool
    /// `All`, `Websocket` and other ones; empty if the service does not say.
    package var transports: [String]
    package var permissions: [String]
    /// The kinds of conditions, for example `requiresCurrentUser`.
    package var conditions: [String]
}

/// Reads the bodies of answers.
extension RESTCall {
    /// The value of a body of status 2xx.
    func value(of answer: RESTAnswer) throws(UnusableBody) -> RESTValue {
        switch self {
        case .checkChannel, .removeTopics: return .done
        case .mintToken, .createChannel, .listChannels, .topics, .addTopics, .setTopics, .describeToken, .catalog:
            break
        }
        return try value(of: try JSONReader(answer.body), date: answer.date)
    }

    private func value(of body: JSONReader, date: WallTime?) throws(UnusableBody) -> RESTValue {
        switch self {
        case .mintToken:
            // RFC 6750 §2.1: it becomes a part of a header.
            guard let token = body["access_token"]?.secret, token.count > 0, token.isVisibleASCII else {
                throw .without("access_token")
            }
            if let type = body["token_type"]?.text, ASCII.lowercased(type) != "bearer" {
                throw .without("bearer token")
            }
            guard let lifetime = body["expires_in"] else { return .token(token, lifetime: nil) }
            guard let seconds = lifetime.number, seconds > 0 else { throw .without("expires_in") }
            return .token(token, lifetime: .seconds(seconds))
        case .createChannel:
            let channel = ListedChannel(body, date: date)
            guard channel.id != nil else { throw .without("id") }
            guard channel.uri != nil else { throw .without("connectUri") }
            return .channel(channel)
        case .listChannels:
            return .channels(try body.entities().map { ListedChannel($0, date: date) })
        case .topics, .addTopics, .setTopics:
            return .topics(try body.entities().compactMap { TopicVerdict($0) })
        case .describeToken:
            return .tokenDescription(TokenDescription(body))
        case .catalog:
            return .catalog(try body.entities().compactMap { AvailableTopic($0) })
        case .checkChannel, .removeTopics:
            return .done
        }
    }
}

extension ListedChannel {
    fileprivate init(_ entity: JSONReader, date: WallTime?) {
        if let text = entity["id"]?.secret, text.count > 0 { id = text }
        if let text = entity["connectUri"]?.text, let address = try? WebSocketURI(text) {
            // The URI is a secret.
            if address.isSecure || address.isLoopback { uri = SecretBytes(text) }
        }
        if let date, let expires = entity["expires"]?.text.flatMap(WallTime.init(iso8601:)) {
            remaining = expires - date
        }
    }
}

extension TopicVerdict {
    fileprivate init?(_ entity: JSONReader) {
        guard let name = entity["id"]?.text else { return nil }
        // An unknown state is not a permission.
        let state = entity["state"]?.text ?? "Permitted"
        let missing = entity["missingPermissions"]?.elements.compactMap(\.text) ?? []
        self.init(
            Topic(name), isPermitted: state == "Permitted", reason: entity["rejectionReason"]?.text,
            missingPermissions: missing)
    }
}

extension TokenDescription {
    fileprivate init(_ body: JSONReader) {
        organization = body["organization"]?["name"]?.text
        client = body["OAuthClient"]?["name"]?.text
        grant = body["OAuthClient"]?["authorizedGrantType"]?.text
        hasUser = body["authenticatedUser"]?.isObject ?? false
    }
}

extension AvailableTopic {
    fileprivate init?(_ entity: JSONReader) {
        guard let name = entity["id"]?.text else { return nil }
        pattern = name
        isPreview = entity["visibility"]?.text == "Preview"
        transports = entity["transports"]?.elements.compactMap(\.text) ?? []
        permissions = entity["requiresPermissions"]?.elements.compactMap(\.text) ?? []
        conditions = entity["permissionDetails"]?.elements.compactMap { $0["type"]?.text } ?? []
    }
}
