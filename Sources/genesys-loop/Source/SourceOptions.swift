import ArgumentParser
import GenesysLoop
import GenesysPlatform
import ToolSupport

/// The options that name the source of a channel, for every command that connects to one.
struct SourceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            A file with the channel's connectUri on one line, - for standard input. Without it, the URI is taken from \
            the environment's \(SourceVariable.uri.rawValue).
            """, valueName: "file"))
    var uriFile: String?

    @Option(
        help: ArgumentHelp(
            """
            The channel's connectUri itself: wss://… It is a secret, and every user of the machine can read an \
            argument: prefer the file or the environment.
            """, valueName: "uri"))
    var uri: String?

    @Option(
        help: ArgumentHelp(
            """
            Make channels of its own in this region: a domain such as mypurecloud.ie, or the AWS name such as \
            eu-west-1. Without it, the region is taken from the environment's \(SourceVariable.region.rawValue).
            """, valueName: "region"))
    var region: String?

    @Option(
        name: .customLong("client-id"),
        help: ArgumentHelp(
            """
            The OAuth client that gets the tokens (grant Client Credentials). Without it, the id is taken from the \
            environment's \(SourceVariable.clientID.rawValue).
            """, valueName: "id"))
    var clientID: String?

    @Option(
        help: ArgumentHelp(
            """
            A file with the secret of the OAuth client on one line, - for standard input. Without it, the secret is \
            taken from the environment's \(SourceVariable.clientSecret.rawValue).
            """, valueName: "file"))
    var clientSecretFile: String?

    @Option(
        help: ArgumentHelp(
            """
            In place of an OAuth client: a file with a token on one line, - for standard input. It is read again when \
            the service refuses the token, and on SIGHUP. Without it, the token is taken from the environment's \
            \(SourceVariable.accessToken.rawValue).
            """, valueName: "file"))
    var accessTokenFile: String?

    @Option(
        help: ArgumentHelp("Get tokens at this URL, in place of https://login.<region>.", valueName: "url"))
    var loginBase: String?

    @Option(help: ArgumentHelp("Make channels at this URL, in place of https://api.<region>.", valueName: "url"))
    var apiBase: String?

    @Option(
        help: ArgumentHelp(
            """
            Keep the token of the OAuth client in this file across starts; others must not be able to read it (mode \
            0600).
            """, valueName: "file"))
    var tokenCache: String?

    func validate() throws {
        guard uri == nil || uriFile == nil else {
            throw ValidationError("Give the channel's URI once: --uri-file or --uri, and not both.")
        }
        guard tokenCache != "-" else {
            throw ValidationError("--token-cache takes the name of a file that is written: - is none.")
        }
        _ = try kind
    }

    /// The options whose value `-` is standard input.
    var standardInputs: [(name: String, path: String?)] {
        [
            ("--uri-file", uriFile), ("--client-secret-file", clientSecretFile),
            ("--access-token-file", accessTokenFile),
        ]
    }

    /// What is given. To be read before the source, whose secrets are taken from the environment.
    var kind: SourceKind {
        get throws {
            var environment: SourceKind.Parts = []
            for variable in SourceVariable.allCases where variable.value != nil { environment.insert(variable.part) }
            return try SourceKind(arguments: arguments, environment: environment)
        }
    }

    private var arguments: SourceKind.Parts {
        let all: [(String?, SourceKind.Parts)] = [
            (uri ?? uriFile, .uri), (region, .region), (loginBase, .loginBase), (apiBase, .apiBase),
            (clientID, .clientID), (clientSecretFile, .clientSecret), (accessTokenFile, .accessToken),
            (tokenCache, .tokenCache),
        ]
        return all.reduce(into: []) { parts, option in if option.0 != nil { parts.insert(option.1) } }
    }
}

extension SourceVariable {
    fileprivate var part: SourceKind.Parts {
        switch self {
        case .uri: .uri
        case .region: .region
        case .clientID: .clientID
        case .clientSecret: .clientSecret
        case .accessToken: .accessToken
        }
    }
}

// MARK: - Reading

extension SourceOptions {
    /// Reads the source. An argument takes precedence over the environment, which no longer has the secrets then.
    func source(_ files: OptionFiles) throws -> ChannelSource {
        let kind = try kind
        let uriVariable = taken(.uri)
        let secretVariable = taken(.clientSecret)
        let tokenVariable = taken(.accessToken)
        switch kind {
        case .uri:
            return .uri(try channel(uriVariable, files))
        case .client:
            let secret = try secret(
                clientSecretFile, "The file of the client's secret", secretVariable, files, of: "--client-secret-file")
            let id = clientID ?? SourceVariable.clientID.value ?? ""
            return .account(try Account(region: place(), id: id, secret: secret, tokenCache: tokenCache))
        case .token:
            let secret = try secret(
                accessTokenFile, "The file of the access token", tokenVariable, files, of: "--access-token-file")
            let path = accessTokenFile.flatMap { FileKind($0) == .regular ? $0 : nil }
            return .account(Account(region: try place(), token: try AccessToken(secret, path: path)))
        }
    }

    private func taken(_ variable: SourceVariable) -> Result<Secret?, any Error> {
        Result { try Secret.taken(from: variable.rawValue) }
    }

    private func channel(_ variable: Result<Secret?, any Error>, _ files: OptionFiles) throws -> ChannelURI {
        if let uri { return try ChannelURI(uri, of: nil) }
        return try ChannelURI(secret(uriFile, "The URI file", variable, files, of: "--uri-file"))
    }

    /// A secret of a file, or of a variable, one of which is given.
    private func secret(
        _ path: String?, _ what: String, _ variable: Result<Secret?, any Error>, _ files: OptionFiles,
        of option: String
    ) throws -> Secret {
        if let path { return try files.secret(path, what, of: option) }
        guard let secret = try variable.get() else { throw ValidationError("\(option) is missing.") }
        return secret
    }

    private func place() throws -> PlatformRegion {
        try check(loginBase, of: "--login-base")
        try check(apiBase, of: "--api-base")
        let name = region ?? SourceVariable.region.value
        do throws(ChannelFailure) {
            return try PlatformRegion(name, loginBase: loginBase, apiBase: apiBase)
        } catch {
            throw ValidationError(
                "\(region != nil ? "--region" : SourceVariable.region.rawValue): \(Check.sentence(error.clause))")
        }
    }

    /// Names the option of a base URL that cannot be used.
    private func check(_ base: String?, of option: String) throws {
        guard let base else { return }
        do throws(ChannelFailure) {
            _ = try PlatformURL(base)
        } catch {
            throw ValidationError("\(option): \(Check.sentence(error.clause))")
        }
    }
}
