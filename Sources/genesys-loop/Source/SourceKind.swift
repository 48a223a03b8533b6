import ArgumentParser

/// Where a channel comes from: its URI, or the account that makes it.
enum SourceKind: Equatable {
    case uri
    /// An OAuth client: an id and a secret.
    case client
    case token

    /// What the command line, or the environment, gives: which parts, not their values.
    struct Parts: OptionSet, Hashable {
        let rawValue: Int

        static let uri = Parts(rawValue: 1)
        static let region = Parts(rawValue: 2)
        static let loginBase = Parts(rawValue: 4)
        static let apiBase = Parts(rawValue: 8)
        static let clientID = Parts(rawValue: 16)
        static let clientSecret = Parts(rawValue: 32)
        static let accessToken = Parts(rawValue: 64)
        static let tokenCache = Parts(rawValue: 128)

        /// Parts of every account.
        fileprivate static let account: Parts = [.region, .loginBase, .apiBase, .tokenCache]
    }

    /// Finds the one source that is given.
    ///
    /// A source of which an argument names a part wins over those of the environment, which may complete it. A part of
    /// an OAuth client or a token is no source if the environment has a whole one.
    ///
    /// - Throws: a `ValidationError` for none, for two, and for a part of one.
    init(arguments: Parts, environment: Parts) throws {
        let given = arguments.union(environment)
        let named = SourceKind.named(by: arguments)
        guard named.count < 2 else {
            throw ValidationError("Give one source of the channel: \(SourceKind.listed(named)), and not both.")
        }
        if let kind = named.first {
            self = try kind.checked(given, arguments: arguments)
            return
        }
        let isAccount = !arguments.isDisjoint(with: .account)
        let candidates = SourceKind.named(by: environment).filter { !isAccount || $0 != .uri }
        let whole = candidates.filter { $0.missing(in: given).isEmpty }
        guard whole.count < 2 else {
            throw ValidationError(
                "The environment gives two sources of the channel, \(SourceKind.listed(whole)): unset one of them, or "
                    + "give one as an argument.")
        }
        guard let kind = whole.first ?? candidates.first else {
            throw isAccount ? SourceKind.withoutCredentials : SourceKind.none
        }
        self = try kind.checked(given, arguments: arguments)
    }

    /// The kinds of which there is a part that no other kind has.
    private static func named(by parts: Parts) -> [SourceKind] {
        var kinds: [SourceKind] = []
        if parts.contains(.uri) { kinds.append(.uri) }
        if !parts.isDisjoint(with: [.clientID, .clientSecret]) { kinds.append(.client) }
        if parts.contains(.accessToken) { kinds.append(.token) }
        return kinds
    }

    private func checked(_ given: Parts, arguments: Parts) throws -> SourceKind {
        let missing = missing(in: given)
        guard missing.isEmpty else {
            throw ValidationError("\(name) lacks \(missing.joined(separator: ", and ")).")
        }
        if self == .uri, !arguments.isDisjoint(with: [.region, .loginBase, .apiBase]) {
            throw ValidationError(
                "--region, --login-base and --api-base are for an OAuth client or a token, and a URI needs none.")
        }
        if self != .client, arguments.contains(.tokenCache) {
            throw ValidationError("--token-cache is for an OAuth client: it keeps the token that the client gets.")
        }
        return self
    }

    /// What a source of this kind still needs, each with the ways to give it.
    private func missing(in given: Parts) -> [String] {
        var missing: [String] = []
        if self == .client, !given.contains(.clientID) {
            missing.append("its id (--client-id, or \(SourceVariable.clientID.rawValue))")
        }
        if self == .client, !given.contains(.clientSecret) {
            missing.append("its secret (--client-secret-file, or \(SourceVariable.clientSecret.rawValue))")
        }
        let isPlaced =
            switch self {
            case .uri: true
            case .client: given.contains(.region) || given.isSuperset(of: [.loginBase, .apiBase])
            case .token: !given.isDisjoint(with: [.region, .apiBase])
            }
        if !isPlaced {
            let bases = self == .client ? "--login-base and --api-base" : "--api-base"
            missing.append("its region (--region, or \(SourceVariable.region.rawValue); or \(bases))")
        }
        return missing
    }

    private var name: String {
        switch self {
        case .uri: "The URI"
        case .client: "The OAuth client"
        case .token: "The token"
        }
    }

    private static func listed(_ kinds: [SourceKind]) -> String {
        kinds.map { kind in
            switch kind {
            case .uri: "a URI"
            case .client: "an OAuth client"
            case .token: "a token"
            }
        }.joined(separator: " and ")
    }

    private static let withoutCredentials = ValidationError(
        """
        A region without credentials: give an OAuth client with --client-id and --client-secret-file, or a token with \
        --access-token-file, or set \(SourceVariable.clientID.rawValue) and \(SourceVariable.clientSecret.rawValue), or \
        \(SourceVariable.accessToken.rawValue).
        """)

    private static let none = ValidationError(
        """
        No channel: give the file of its connectUri with --uri-file, or set \(SourceVariable.uri.rawValue); --uri takes \
        it too, but every user of the machine can read an argument. Or let the tool make channels of its own: give \
        --region with --client-id and --client-secret-file, or with --access-token-file.
        """)
}
