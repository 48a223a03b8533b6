import GenesysLoop
import GenesysPlatform

/// The parts of one run of `doctor`, one after the other on one loop.
///
///     a URI:                         its channel
///     an account:                    REST side ─▶ the channel that it made ─▶ the channel's topics are removed
///     an account, --no-connect:      the host of the tokens ─▶ the host of the API
///
/// All of it runs on the loop's thread.
final class DoctorRun {
    /// The exit status; nil while it runs.
    private(set) var status: ExitStatus?

    private let plan: DoctorPlan
    private let list: CheckList
    private let loop: UVLoop
    private let log: EventLog
    /// The connections that are examined one after the other.
    private var targets: [(uri: String, topics: [Topic])] = []
    private var connection: (examination: Examination, channel: NotificationChannel)?
    /// Kept, because each ends within its own call.
    private var ended: [Examination] = []
    private var account: AccountExamination?
    private var tokens: TokenSupply?
    /// What was found, while the channel is being left.
    private var result: ExitStatus?
    private var isInterrupted = false

    /// Reads what the options name, and writes the first checks.
    ///
    /// - Throws: `DoctorPlan.Unusable`.
    init(_ plan: DoctorPlan, list: CheckList, loop: UVLoop, log: EventLog) throws {
        self.plan = plan
        self.list = list
        self.loop = loop
        self.log = log
        let start = ContinuousClock.now
        let trust: TrustReport?
        switch plan.source {
        case .uri(let channel):
            targets = [(channel.text, plan.topics)]
            trust = try prepareConnection()?.trust
        case .account(let account) where plan.stopsEarly:
            targets = [account.region.login, account.region.api].compactMap(\.self).unique.map { ($0.socketURI, []) }
            trust = try prepareConnection()?.trust
        case .account(let account):
            trust = try prepare(account).trust
        }
        for check in plan.openingChecks { list.add(check) }
        if let trust { list.add(TrustCheck.make(trust, after: .now - start)) }
    }

    func start() {
        if let account { account.begin() } else { startConnection() }
    }

    /// The user requested the end: what was found so far is the result.
    func interrupt() {
        guard status == nil else { return }
        targets = []
        account?.interrupt()
        isInterrupted = true
        if let connection { connection.examination.interrupt() } else { end(with: result ?? .success) }
    }

    // MARK: - The parts

    private func prepare(_ account: Account) throws -> Platform {
        let tokens = account.supply(on: loop, log: log)
        let platform = try plan.platform(of: account, on: loop, tokens)
        self.tokens = tokens
        self.account = AccountExamination(
            platform, of: account, topics: plan.topics, hasIdentity: plan.configuration.tls.identity != nil, list: list
        ) { [unowned self] outcome in
            switch outcome {
            case .ready(let uri, let topics):
                targets = [(uri, topics)]
                startNext(after: .success)
            case .failed(let status):
                retire(with: status)
            }
        }
        return platform
    }

    /// Prepares the next connection; nil if there is none left.
    private func prepareConnection() throws -> NotificationChannel? {
        guard !targets.isEmpty else { return nil }
        let (uri, topics) = targets.removeFirst()
        let subject = Examination.Subject(
            endpoint: try WebSocketURI(uri), topics: topics, configuration: plan.configuration,
            stopsEarly: plan.stopsEarly)
        let examination = Examination(subject, list: list, loop: loop) { [unowned self] status in
            if let connection { ended.append(connection.examination) }
            connection = nil
            startNext(after: status)
        }
        let channel = try plan.channel(uri, topics: topics, on: loop, delegate: examination)
        connection = (examination, channel)
        return channel
    }

    private func startConnection() {
        guard let (examination, channel) = connection else { return }
        examination.start(channel)
    }

    /// A part is over: starts the next one, unless it failed.
    private func startNext(after status: ExitStatus) {
        guard status == .success, !targets.isEmpty else { return retire(with: status) }
        do {
            _ = try prepareConnection()
            startConnection()
        } catch {
            list.add(
                .failure(.channel, "The channel cannot be used: \(error)", advice: "Tell those who run the server."))
            retire(with: .protocolBroken)
        }
    }

    /// Leaves the channel that was made.
    private func retire(with status: ExitStatus) {
        result = status
        guard let account, !isInterrupted else { return end(with: status) }
        account.retire { [unowned self] in end(with: status) }
    }

    private func end(with status: ExitStatus) {
        tokens?.end()
        self.status = status
        list.end(with: status)
    }
}

extension PlatformURL {
    /// The URI of a connection that ends after TLS.
    fileprivate var socketURI: String { "\(isSecure ? "wss" : "ws")://\(authority)/" }
}

extension [PlatformURL] {
    /// Each host and port once.
    fileprivate var unique: [PlatformURL] {
        indices.filter { index in firstIndex { $0.socketURI == self[index].socketURI } == index }.map { self[$0] }
    }
}
