import GenesysLoop

/// The environment's variables that name the source of a channel. Those of the account have the names that the vendor's
/// other tools use.
enum SourceVariable: String, CaseIterable {
    case uri = "GENESYS_LOOP_URI"
    case region = "GENESYSCLOUD_REGION"
    case clientID = "GENESYSCLOUD_OAUTHCLIENT_ID"
    case clientSecret = "GENESYSCLOUD_OAUTHCLIENT_SECRET"
    case accessToken = "GENESYSCLOUD_ACCESS_TOKEN"

    /// The value without white space at its ends; nil if the variable is unset or blank.
    var value: String? { Environment.value(of: rawValue) }
}
