import ArgumentParser
import GenesysLoop
import GenesysPlatform
import ToolSupport

/// Where a channel comes from, read and checked.
enum ChannelSource {
    case uri(ChannelURI)
    /// The tool makes the channel.
    case account(Account)

    /// The most topics; nil for as many as a group of channels takes.
    var topicLimit: Int? {
        switch self {
        case .uri: Topic.maxCount
        case .account: nil
        }
    }

    /// Whether what is connected to first is encrypted.
    var isSecure: Bool {
        switch self {
        case .uri(let channel): channel.endpoint.isSecure
        case .account(let account): account.region.api.isSecure
        }
    }
}

/// The URI of a channel: a secret. No printed form contains it.
struct ChannelURI {
    let text: String
    let endpoint: WebSocketURI

    /// - Parameter source: the beginning of a sentence; nil for an argument.
    init(_ text: String, of source: String?) throws {
        self.text = text
        do throws(InvalidURI) {
            endpoint = try WebSocketURI(text)
        } catch {
            throw ValidationError("\(source.map { "\($0): " } ?? "")\(error.description)")
        }
    }

    init(_ secret: Secret) throws {
        guard let text = String(validating: secret.bytes, as: UTF8.self) else {
            throw ValidationError("\(secret.source) is not UTF-8; it takes the channel's URI.")
        }
        try self.init(text, of: secret.source)
    }
}

extension ChannelURI: CustomStringConvertible, CustomReflectable {
    var description: String { endpoint.redacted }
    var customMirror: Mirror { Mirror(self, children: []) }
}

/// An account of the service: where it is, and who gives its tokens.
struct Account {
    enum Credentials {
        /// An OAuth client, by its id.
        case client(String, PlatformCredentials)
        case token(AccessToken)
    }

    let region: PlatformRegion
    let credentials: Credentials
    /// The file that keeps a token across starts; nil for none.
    var tokenCache: String?

    /// An OAuth client.
    init(region: PlatformRegion, id: String, secret: Secret, tokenCache: String?) throws {
        self.region = region
        self.tokenCache = tokenCache
        guard let text = String(validating: secret.bytes, as: UTF8.self) else {
            throw ValidationError("\(secret.source) is not UTF-8; it takes the secret of an OAuth client.")
        }
        do throws(ChannelFailure) {
            credentials = .client(id, try .client(id: id, secret: text))
        } catch {
            throw ValidationError(Check.sentence(error.clause))
        }
    }

    /// A token.
    init(region: PlatformRegion, token: AccessToken) {
        self.region = region
        credentials = .token(token)
    }
}

/// A token of the user, and where it can be read again.
struct AccessToken {
    /// Without `Bearer`.
    let text: String
    /// The file or the variable, at the beginning of a sentence.
    let source: String
    /// A regular file; nil for what can be read only once.
    let path: String?
    /// Whether other users can read that file.
    let isExposed: Bool

    init(_ secret: Secret, path: String?) throws {
        guard let text = AccessToken.text(secret.bytes) else {
            throw ValidationError("\(secret.source) takes a token: ASCII characters without white space.")
        }
        self.text = text
        source = secret.source
        self.path = path
        isExposed = path.map(SystemCalls.isExposed) ?? false
    }

    /// The token on a line; nil for another line.
    static func text(_ line: [UInt8]) -> String? {
        guard !line.isEmpty, line.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        return String(decoding: line, as: UTF8.self)
    }
}

extension AccessToken: CustomStringConvertible, CustomReflectable {
    var description: String { source }
    var customMirror: Mirror { Mirror(self, children: []) }
}
