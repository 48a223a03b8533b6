import GenesysLoop
import GenesysPlatform

/// The first half of `doctor` with an OAuth client or a token: asks the REST side, step by step, and makes a channel.
///
///     token ─▶ channels in use ─▶ catalog of topics ─▶ channel ─▶ topics ─▶ ready
///       └─────────┴───────────────────────────────────────┴─────────┴─────▶ failed
///
/// Each call is tried once. All of it runs on the loop's thread.
final class AccountExamination {
    /// How it ended.
    enum Outcome {
        /// A channel with these topics, of those that were asked for.
        case ready(uri: String, [Topic])
        case failed(ExitStatus)
    }

    private let platform: Platform
    private let account: Account
    private let topics: [Topic]
    /// Nil without topics.
    private let needs: ShardNeeds?
    /// The topics of each channel that was not asked about.
    private var parts: [[Topic]]
    private var verdicts: [TopicVerdict] = []
    /// The permitted topics of the channel that was asked about last.
    private var permitted: [Topic] = []
    private let hasIdentity: Bool
    private let list: CheckList
    private let didEnd: (Outcome) -> Void
    private var call: CallID?
    private var start: ClockReading
    private var hasUser = false
    private var catalog: [AvailableTopic]?
    /// The channel that was made.
    private var channel: ListedChannel?
    private var timer: LoopTimer?

    /// How long the channel's topics may take to be removed.
    private static let retirementTime: Duration = .seconds(2)

    /// - Parameters:
    ///   - hasIdentity: whether a client certificate is configured.
    ///   - didEnd: called once, unless it is interrupted.
    init(
        _ platform: Platform, of account: Account, topics: [Topic], hasIdentity: Bool, list: CheckList,
        didEnd: @escaping (Outcome) -> Void
    ) {
        self.platform = platform
        self.account = account
        self.topics = topics
        needs = topics.isEmpty ? nil : try? ShardNeeds(topics)
        parts = topics.count > Topic.maxCount ? needs?.parts ?? [] : topics.isEmpty ? [] : [topics]
        self.hasIdentity = hasIdentity
        self.list = list
        self.didEnd = didEnd
        start = platform.loop.now
    }

    /// Begins with the token.
    func begin() {
        call(.describeToken) { [unowned self] value in
            guard case .tokenDescription(let token) = value else { return }
            hasUser = token.hasUser
            list.add(AccountChecks.token(token, after: endStep()))
            countChannels()
        }
    }

    /// The user requested the end.
    func interrupt() {
        if let call { platform.cancel(call) }
        call = nil
        timer?.cancel()
    }

    // MARK: - The steps

    private func countChannels() {
        call(.listChannels) { [unowned self] value in
            guard case .channels(let channels) = value else { return }
            let check = AccountChecks.channels(channels.count, after: endStep())
            list.add(check)
            guard check.verdict != .failed else { return didEnd(.failed(.unavailable)) }
            if let needs, needs.shardCount > 1 { list.add(AccountChecks.shards(needs, besides: channels.count)) }
            readCatalog()
        }
    }

    private func readCatalog() {
        guard !topics.isEmpty else { return makeChannel() }
        call(
            .catalog,
            orElse: { [unowned self] failure in
                list.add(
                    .warning(
                        .topic, after: endStep(), "The catalog of topics cannot be read: \(failure.clause).",
                        advice: "The topics are only checked by asking for them. \(advice(failure))"))
                makeChannel()
            },
            { [unowned self] value in
                if case .catalog(let catalog) = value { self.catalog = catalog }
                makeChannel()
            })
    }

    private func makeChannel() {
        start = platform.loop.now
        call(.createChannel, as: .channel) { [unowned self] value in
            guard case .channel(let channel) = value, let id = channel.id, let uri = channel.uri else { return }
            self.channel = channel
            list.add(.ok(.channel, after: endStep(), "A channel of its own is made."))
            askForTopics(id, uri)
        }
    }

    /// Asks for the topics of one channel after those of another: each time for all that the channel is to have.
    private func askForTopics(_ id: SecretBytes, _ uri: SecretBytes) {
        guard let part = parts.last else {
            guard !topics.isEmpty else { return didEnd(.ready(uri: uri.text, [])) }
            let grant = TopicGrant(asked: topics, verdicts: verdicts)
            let findings = AccountChecks.TopicFindings(catalog: catalog, hasUser: hasUser, grant: grant)
            for check in AccountChecks.topics(topics, findings, after: endStep()) { list.add(check) }
            return didEnd(grant.permitted.isEmpty ? .failed(.refused) : .ready(uri: uri.text, permitted))
        }
        call(.setTopics(part, of: id), as: .topic) { [unowned self] value in
            guard case .topics(let answer) = value else { return }
            parts.removeLast()
            verdicts += answer + part.flatMap { AccountExamination.names(of: $0, in: answer) }
            let grant = TopicGrant(asked: part, verdicts: answer)
            if !grant.permitted.isEmpty { permitted = grant.permitted }
            askForTopics(id, uri)
        }
    }

    /// Verdicts about the names of a combined topic that have none of their own: the combined one's.
    private static func names(of topic: Topic, in verdicts: [TopicVerdict]) -> [TopicVerdict] {
        guard let verdict = verdicts.first(where: { $0.topic == topic }) else { return [] }
        return topic.expanded.filter { name in !verdicts.contains { $0.topic == name } }.map { name in
            var own = verdict
            own.topic = name
            return own
        }
    }

    /// Removes the topics of the channel, which the service has no call to delete. Then calls `body`.
    func retire(then body: @escaping () -> Void) {
        guard let id = channel?.id else { return body() }
        let end = { [unowned self] in
            interrupt()
            body()
        }
        timer = platform.loop.schedule(after: AccountExamination.retirementTime, end)
        call = platform.call(.removeTopics(of: id), limit: platform.loop.now.instant) { [unowned self] _ in
            call = nil
            end()
        }
    }

    // MARK: - Calls

    private func endStep() -> Duration {
        defer { start = platform.loop.now }
        return platform.loop.now.instant - start.instant
    }

    /// Makes a call; a failure of it is a check of this name, and the end.
    private func call(_ call: RESTCall, as name: Check.Name = .channels, _ body: @escaping (RESTValue) -> Void) {
        self.call(
            call,
            orElse: { [unowned self] failure in
                let name: Check.Name = failure.phase == .token || call == .describeToken ? .token : name
                list.add(.failure(name, after: endStep(), detail(failure), advice: advice(failure)))
                didEnd(.failed(ExitStatus(failure)))
            }, body)
    }

    private func call(
        _ call: RESTCall, orElse fail: @escaping (ChannelFailure) -> Void, _ body: @escaping (RESTValue) -> Void
    ) {
        self.call = platform.call(call, limit: platform.loop.now.instant) { [unowned self] result in
            self.call = nil
            switch result {
            case .success(let value): body(value)
            case .failure(let failure): fail(failure.failure)
            }
        }
    }

    private func target(of failure: ChannelFailure) -> String {
        let base = failure.phase == .token ? account.region.login ?? account.region.api : account.region.api
        return base.authority
    }

    private func detail(_ failure: ChannelFailure) -> String {
        switch failure.reason {
        case .dns, .connect, .timeout, .connectionClosed: "\(target(of: failure)): \(failure.clause)."
        default: Check.sentence(failure.clause)
        }
    }

    private func advice(_ failure: ChannelFailure) -> String {
        failure.advice(
            ChannelFailure.Circumstances(
                target: target(of: failure), hasIdentity: hasIdentity, now: platform.loop.now.wall))
    }
}
