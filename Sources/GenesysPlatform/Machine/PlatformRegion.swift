public import GenesysLoop

/// Where an organization is: the two base URLs of its REST side.
///
///     let region = try PlatformRegion("eu-central-1")
///     let region = try PlatformRegion("mypurecloud.de", apiBase: "https://gateway.example/genesys")
///
/// Source: platform sheet §1.1.
public struct PlatformRegion: Hashable, Sendable {
    /// The base of the token endpoint; nil if only the API's is known.
    package let login: PlatformURL?
    /// The base of the API.
    package let api: PlatformURL

    /// Finds the base URLs.
    ///
    /// - Parameters:
    ///   - name: a domain, for example `mypurecloud.ie`, or the name that AWS has for the region, for example
    ///     `eu-west-1`. New regions need no new version: any domain is accepted. Nil where `apiBase` is given.
    ///   - loginBase: replaces `https://login.<domain>`, for example with a gateway's URL. It may have a path. `http:`
    ///     is accepted for this machine only.
    ///   - apiBase: replaces `https://api.<domain>`.
    /// - Throws: `ChannelFailure` with reason `invalidURI` for a name or URL that cannot be used.
    public init(
        _ name: String? = nil, loginBase: String? = nil, apiBase: String? = nil
    ) throws(ChannelFailure) {
        let domain = try name.map { name throws(ChannelFailure) in try PlatformRegion.domain(name) }
        login =
            if let loginBase {
                try PlatformURL(loginBase)
            } else if let domain {
                try PlatformURL("https://login.\(domain)")
            } else {
                nil
            }
        if let apiBase {
            api = try PlatformURL(apiBase)
        } else if let domain {
            api = try PlatformURL("https://api.\(domain)")
        } else {
            throw .usage("No region: name it, for example mypurecloud.de or eu-central-1")
        }
    }

    /// The domain of a region.
    private static func domain(_ name: String) throws(ChannelFailure) -> String {
        let known = ASCII.lowercased(name)
        if let domain = domains[known] { return domain }
        let shown = PeerText.excerpt(name, limit: 60) ?? ""
        guard known.utf8.contains(UInt8(ascii: ".")) else {
            throw .usage(
                "'\(shown)' is no region: give its domain, for example mypurecloud.de, or its AWS name, for example "
                    + "eu-central-1")
        }
        let isHost = known.utf8.allSatisfy { byte in
            ASCII.isAlphanumeric(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
        }
        guard isHost else {
            throw .usage("'\(shown)' is no region: give the domain alone, for example mypurecloud.de")
        }
        return known
    }

    /// The regions by the names of AWS.
    private static let domains: [String: String] = [
        "us-east-1": "mypurecloud.com", "us-east-2": "use2.us-gov-pure.cloud", "us-west-2": "usw2.pure.cloud",
        "ca-central-1": "cac1.pure.cloud", "mx-central-1": "mxc1.pure.cloud", "sa-east-1": "sae1.pure.cloud",
        "eu-west-1": "mypurecloud.ie", "eu-west-2": "euw2.pure.cloud", "eu-central-1": "mypurecloud.de",
        "eu-central-2": "euc2.pure.cloud", "eusc-de-east-1": "edee1.eusc-pure.cloud", "me-central-1": "mec1.pure.cloud",
        "ap-south-1": "aps1.pure.cloud", "ap-northeast-1": "mypurecloud.jp", "ap-northeast-2": "apne2.pure.cloud",
        "ap-northeast-3": "apne3.pure.cloud", "ap-southeast-1": "apse1.pure.cloud",
        "ap-southeast-2": "mypurecloud.com.au",
    ]
}

extension PlatformRegion: CustomStringConvertible {
    /// The two base URLs.
    public var description: String {
        [login?.text, api.text].compactMap(\.self).joined(separator: " and ")
    }
}

extension ChannelFailure {
    /// What the host gave cannot be used.
    static func usage(_ sentence: String) -> ChannelFailure {
        ChannelFailure(
            reason: .invalidURI, phase: .provision, clause: Sentence.clause(sentence), isRetryable: false)
    }
}
