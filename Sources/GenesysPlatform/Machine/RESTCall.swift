package import GenesysLoop

/// One call of the REST side: method, path and body. The driver adds the host and the authorization.
///
/// A path with a channel's id is a secret, as the channel's URI is.
///
/// Source: platform sheet §1.2, §1.5, §2.
package enum RESTCall: Hashable, Sendable {
    /// A token for the OAuth client.
    case mintToken
    case createChannel
    /// All channels of the OAuth client; those of other tokens without their ids.
    case listChannels
    /// Whether the channel exists.
    case checkChannel(SecretBytes)
    case topics(of: SecretBytes)
    case addTopics([Topic], to: SecretBytes)
    /// Replaces all topics. Those that the service refuses do not prevent the others.
    case setTopics([Topic], of: SecretBytes)
    case removeTopics(of: SecretBytes)
    /// Organization and OAuth client of the token.
    case describeToken
    /// All topics that exist, with what each needs.
    case catalog

    /// Who answers, and with which credentials.
    package enum Side: Hashable, Sendable {
        /// The token endpoint, with the OAuth client's id and secret.
        case login
        /// The API, with a token.
        case api
    }

    package var side: Side {
        switch self {
        case .mintToken: .login
        case .createChannel, .listChannels, .checkChannel, .topics, .addTopics, .setTopics, .removeTopics,
            .describeToken, .catalog:
            .api
        }
    }

    package var method: String {
        switch self {
        case .mintToken, .createChannel, .addTopics: "POST"
        case .setTopics: "PUT"
        case .removeTopics: "DELETE"
        case .checkChannel: "HEAD"
        case .listChannels, .topics, .describeToken, .catalog: "GET"
        }
    }

    /// The id of the channel that it is about; nil if it is about none.
    package var channel: SecretBytes? {
        switch self {
        case .checkChannel(let id), .topics(let id), .addTopics(_, let id), .setTopics(_, let id),
            .removeTopics(let id):
            id
        case .mintToken, .createChannel, .listChannels, .describeToken, .catalog: nil
        }
    }

    /// Path and query below the base URL.
    package var target: String {
        switch self {
        case .mintToken: "/oauth/token"
        case .createChannel: RESTCall.channels
        case .listChannels: RESTCall.channels + "?includechannels=oauthclient"
        case .checkChannel(let id): RESTCall.path(id)
        case .topics(let id), .removeTopics(let id): RESTCall.path(id) + "/subscriptions"
        case .addTopics(_, let id), .setTopics(_, let id): RESTCall.path(id) + "/subscriptions?ignoreErrors=true"
        case .describeToken: "/api/v2/tokens/me"
        case .catalog:
            "/api/v2/notifications/availabletopics?expand=transports,visibility,requiresPermissions,permissionDetails"
        }
    }

    /// The body; nil for a call without one.
    package var body: [UInt8]? {
        switch self {
        case .mintToken: Array("grant_type=client_credentials".utf8)
        case .addTopics(let topics, _), .setTopics(let topics, _): RESTCall.json(topics)
        case .createChannel, .listChannels, .checkChannel, .topics, .removeTopics, .describeToken, .catalog: nil
        }
    }

    package var contentType: String {
        self == .mintToken ? "application/x-www-form-urlencoded" : "application/json"
    }

    /// Whether it makes something, so that it must not be repeated as long as the outcome of the first time is unknown.
    ///
    /// It also needs a connection of its own: libcurl repeats a request by itself if a kept connection ends before the
    /// first byte of the answer.
    package var isCreation: Bool { self == .mintToken || self == .createChannel }

    /// The largest accepted body: the catalog may have the schemas of all topics.
    package var maxBodyByteCount: Int { self == .catalog ? 16 << 20 : 1 << 20 }

    private static let channels = "/api/v2/notifications/channels"

    /// The id is text of the service: only unreserved characters stay as they are (RFC 3986 §2.3).
    private static func path(_ id: SecretBytes) -> String {
        let hexadecimal = Array("0123456789ABCDEF".utf8)
        return id.withSpan { bytes in
            var path = Array(channels.utf8) + [UInt8(ascii: "/")]
            for index in bytes.indices {
                let byte = bytes[index]
                if ASCII.isAlphanumeric(byte) || "-_~".utf8.contains(byte) {
                    path.append(byte)
                } else {
                    path += [UInt8(ascii: "%"), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 0x0F)]]
                }
            }
            return String(decoding: path, as: UTF8.self)
        }
    }

    /// `[{"id":"v2.…"},…]`
    private static func json(_ topics: [Topic]) -> [UInt8] {
        let entries = topics.map { topic in
            var object = JSONObject()
            object.add("id", topic.rawValue)
            return object.finished()
        }
        return [UInt8(ascii: "[")] + entries.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "]")]
    }
}

extension RESTCall: CustomStringConvertible {
    /// The method and the path without ids.
    package var description: String {
        switch self {
        case .checkChannel: "\(method) \(RESTCall.channels)/…"
        case .topics, .addTopics, .setTopics, .removeTopics: "\(method) \(RESTCall.channels)/…/subscriptions"
        case .mintToken, .createChannel, .listChannels, .describeToken, .catalog:
            "\(method) \(target.prefix { $0 != "?" })"
        }
    }
}
