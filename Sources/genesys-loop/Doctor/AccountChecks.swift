import GenesysLoop
import GenesysPlatform

/// The checks of an account: what its REST side says about the token, the channels and the topics.
enum AccountChecks {
    /// Where the account is, and who gives its tokens.
    static func source(_ account: Account, _ options: SourceOptions) -> Check {
        let who: String
        switch account.credentials {
        case .client(let id, _):
            let origin = options.clientID != nil ? "--client-id" : SourceVariable.clientID.rawValue
            who = "The OAuth client of \(origin) is \(id)"
        case .token(let token):
            who = "The token is that of \(token.source.prefix(1).lowercased() + token.source.dropFirst())"
        }
        let bases = [account.region.login, account.region.api].compactMap { $0?.text }
        let place = Set(bases).count == 1 ? bases[0] : bases.joined(separator: " and ")
        return .ok(.source, after: .zero, "\(who); its region is at \(place).")
    }

    /// The token is accepted.
    static func token(_ token: TokenDescription, after time: Duration) -> Check {
        let parts = [
            token.organization.map { "the organization is “\($0)”" }, token.client.map { "the OAuth client “\($0)”" },
            token.grant.map { "the grant \($0)" }, token.hasUser ? "and a user stands behind it" : nil,
        ].compactMap(\.self)
        let found = parts.isEmpty ? "" : ": \(parts.joined(separator: ", "))"
        return .ok(.token, after: time, "The service accepts the token\(found).")
    }

    /// How many channels there are, of those that may be.
    static func channels(_ count: Int, after time: Duration) -> Check {
        let detail = "\(count) of \(ChannelCount.maximum) channels of the OAuth client are in use"
        guard count >= ChannelCount.maximum else { return .ok(.channels, after: time, detail + ".") }
        return .failure(
            .channels, after: time, "\(detail): another one would remove one of them.",
            advice: "End a program that uses this OAuth client, or give each deployment a client of its own. A channel "
                + "ends with its token.")
    }

    /// How many channels the topics need.
    static func shards(_ needs: ShardNeeds, besides count: Int) -> Check {
        let detail = "The topics need \(needs.placeCount) places on \(needs.shardCount) channels."
        if !needs.leavesSparePlace {
            return .warning(
                .shards, after: .zero, detail,
                advice: "Use fewer topics: without a spare channel, each move to a fresh one costs a gap.")
        }
        guard count + needs.shardCount < ChannelCount.maximum else {
            return .warning(
                .shards, after: .zero,
                "\(detail) With those in use and a spare one these are more than the OAuth client has.",
                advice: "End the programs that use this OAuth client, or use another client.")
        }
        return .ok(.shards, after: .zero, detail)
    }

    // MARK: - Topics

    /// What the service knows about topics, and what it decided.
    struct TopicFindings {
        /// Nil if the catalog could not be read.
        var catalog: [AvailableTopic]?
        var hasUser: Bool
        var grant: TopicGrant
    }

    /// One check for each topic. They are failures if every topic is refused.
    static func topics(_ topics: [Topic], _ findings: TopicFindings, after time: Duration) -> [Check] {
        let refused = findings.grant.refusals
        let isLost = !topics.isEmpty && findings.grant.permitted.isEmpty
        return topics.map { topic in
            let names = Set(topic.expanded + [topic])
            if let rejections = refused.first(where: { $0.contains { names.contains($0.topic) } }) {
                return refusal(of: rejections, isLost: isLost, after: time)
            }
            if let note = topic.expanded.lazy.compactMap({ AccountChecks.note($0, findings) }).first {
                return .warning(.topic, after: time, note.detail, advice: note.advice)
            }
            return .ok(.topic, after: time, "\(topic) is permitted.")
        }
    }

    private static func refusal(
        of rejections: [RejectedTopics.Rejection], isLost: Bool, after time: Duration
    ) -> Check {
        let rejected = RejectedTopics(rejections)
        let permissions = rejected.missingPermissions
        let missing = permissions.isEmpty ? "" : "; missing: \(permissions.joined(separator: ", "))"
        let reason = rejected.reason.map { ": \($0)" } ?? ""
        let detail = "The service refuses \(rejected.topics.listed)\(reason)\(missing)."
        let advice =
            permissions.isEmpty
            ? "Check the topic's name, and the roles of the OAuth client."
            : "Give the OAuth client a role with the missing permissions, in the division of what the topic names."
        return isLost
            ? .failure(.topic, after: time, detail, advice: advice)
            : .warning(.topic, after: time, detail, advice: advice)
    }

    /// What is wrong with a topic that is permitted; nil for nothing.
    private static func note(_ topic: Topic, _ findings: TopicFindings) -> (detail: String, advice: String)? {
        guard let catalog = findings.catalog else { return nil }
        guard let entry = catalog.first(where: { $0.matches(topic) }) else {
            return ("\(topic) is not in the service's catalog of topics.", "Check the topic's name.")
        }
        if !entry.transports.isEmpty, !entry.transports.contains(where: { ["All", "Websocket"].contains($0) }) {
            let transports = entry.transports.joined(separator: ", ")
            return (
                "\(topic) is not sent over WebSockets, only by \(transports).",
                "Receive it there, or use another topic."
            )
        }
        if !findings.hasUser, !entry.conditions.isEmpty, entry.conditions.allSatisfy({ $0 == "requiresCurrentUser" }) {
            return (
                "\(topic) is for the user of the token, and an OAuth client has no user.",
                "Use a token of that user, or another topic."
            )
        }
        guard entry.isPreview else { return nil }
        return ("\(topic) is a preview: the service may change it without notice.", "Expect changes, or wait for it.")
    }
}

extension AvailableTopic {
    /// Whether a single topic is of this kind.
    fileprivate func matches(_ topic: Topic) -> Bool {
        let (own, parts) = (pattern.split(separator: "."), topic.rawValue.split(separator: "."))
        return own.count == parts.count && zip(own, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }
}
