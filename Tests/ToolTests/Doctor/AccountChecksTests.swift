import GenesysLoop
import Testing

@testable import GenesysPlatform
@testable import genesys_loop

/// What `doctor` says about a token, channels and topics.
@Suite struct AccountChecksTests {
    private static let catalog = [
        AvailableTopic(
            pattern: "v2.users.{id}.presence", isPreview: false, transports: ["All"], permissions: [],
            conditions: ["requiresPermissions"]),
        AvailableTopic(
            pattern: "v2.users.{id}.activity", isPreview: true, transports: ["Websocket"], permissions: [],
            conditions: []),
        AvailableTopic(
            pattern: "v2.audits.{id}", isPreview: false, transports: ["EventBridge", "ProcessAutomation"],
            permissions: [], conditions: []),
        AvailableTopic(
            pattern: "v2.users.{id}.voicemail", isPreview: false, transports: [], permissions: [],
            conditions: ["requiresCurrentUser"]),
    ]

    private func check(
        _ topics: [Topic], _ refused: [Topic: [String]] = [:], catalog: [AvailableTopic]? = catalog,
        hasUser: Bool = false
    ) -> [Check] {
        let verdicts = topics.map { topic in
            TopicVerdict(
                topic, isPermitted: refused[topic] == nil, reason: refused[topic].map { _ in "not yours" },
                missingPermissions: refused[topic] ?? [])
        }
        let grant = TopicGrant(asked: topics, verdicts: verdicts)
        return AccountChecks.topics(
            topics, .init(catalog: catalog, hasUser: hasUser, grant: grant), after: .milliseconds(1))
    }

    @Test(arguments: [
        ("v2.users.a.presence", nil), ("v2.users.a.activity", "preview"), ("v2.audits.a", "EventBridge"),
        ("v2.users.a.voicemail", "has no user"), ("v2.users.a.nonsense", "not in the service's catalog"),
        ("v2.users.a?presence&activity", "v2.users.a.activity is a preview"),
    ])
    func `a topic that is permitted may still be of no use, which the catalog tells`(topic: String, word: String?)
        throws
    {
        let found = try #require(check([Topic(topic)]).first)
        #expect(found.verdict == (word == nil ? .ok : .warn))
        #expect(found.detail.contains(word ?? "is permitted"), "\(found)")
        // Without a catalog nothing is known about it.
        #expect(check([Topic(topic)], catalog: nil).map(\.verdict) == [.ok])
    }

    @Test func `a topic of the user is no warning for the token of a user`() {
        #expect(check(["v2.users.a.voicemail"], hasUser: true).map(\.verdict) == [.ok])
    }

    @Test func `a refused topic names the permissions, and all of them refused are failures`() throws {
        let refused: [Topic: [String]] = ["v2.users.a.presence": ["p:q:view"], "v2.audits.a": []]
        let part = check(["v2.users.a.presence", "v2.users.b.presence", "v2.audits.a"], refused)
        #expect(part.map(\.verdict) == [.warn, .ok, .warn])
        #expect(part[0].detail.contains("not yours; missing: p:q:view"), "\(part[0])")
        #expect(part[0].advice.contains("in the division"))
        #expect(part[2].advice.contains("Check the topic's name"))
        let all = check(["v2.users.a.presence", "v2.audits.a"], refused)
        #expect(all.map(\.verdict) == [.failed, .failed])
    }

    @Test func `twenty channels are a failure, and nineteen are not`() {
        #expect(AccountChecks.channels(19, after: .zero).verdict == .ok)
        #expect(AccountChecks.channels(20, after: .zero).verdict == .failed)
    }

    @Test func `a token without a description is accepted, too`() {
        let bare = TokenDescription(organization: nil, client: nil, grant: nil, hasUser: false)
        #expect(AccountChecks.token(bare, after: .zero).detail == "The service accepts the token.")
        let full = TokenDescription(organization: "O", client: "C", grant: "G", hasUser: true)
        let detail = AccountChecks.token(full, after: .zero).detail
        for word in ["“O”", "“C”", "grant G", "a user"] { #expect(detail.contains(word), "\(detail)") }
    }
}
