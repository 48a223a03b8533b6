import GenesysLoop

/// Watches the connection of a channel that never reconnects, and writes a check for each step.
///
/// The verdict on a failure is the channel's own. All of it runs on the loop's thread.
final class Examination {
    /// What is examined, and how far.
    struct Subject {
        let endpoint: WebSocketURI
        let topics: [Topic]
        let configuration: ChannelConfiguration
        /// Whether to end before the upgrade, which takes the channel from a client that has it.
        let stopsEarly: Bool
    }

    /// How long to wait for what a server that asked for a certificate may still say after its handshake: with TLS 1.3
    /// it refuses ours then.
    static let watchTime: Duration = .seconds(1)
    /// How long to wait for what a server without topics to confirm may still say after the upgrade. It has a second,
    /// and a loss is reported after the closing handshake.
    static let openTime: Duration = .milliseconds(2_500)

    /// The exit status; nil while it runs.
    private(set) var status: ExitStatus?
    private let didEnd: (ExitStatus) -> Void

    let subject: Subject
    let loop: UVLoop
    private let list: CheckList
    private let survey: AddressSurvey
    private var channel: NotificationChannel?
    private var timer: LoopTimer?
    /// When the current step started.
    private var stepStart: ClockReading
    /// The proxy, and the option or variable that names it.
    private var proxy: (uri: ProxyURI, source: String)?
    private var handshake: HandshakeChecks?
    /// Whether TLS is established and its checks are written.
    private var isSecured = false
    /// Whether the server has answered the upgrade.
    private var isAnswered = false
    private var clock: Check?
    private var failure: ChannelFailure?
    private var isChannelOver = false
    private var isSurveyOver = false
    private var isInterrupted = false

    /// - Parameter didEnd: called once.
    init(_ subject: Subject, list: CheckList, loop: UVLoop, didEnd: @escaping (ExitStatus) -> Void) {
        self.subject = subject
        self.didEnd = didEnd
        self.list = list
        self.loop = loop
        stepStart = loop.now
        survey = AddressSurvey(loop: loop, deadlines: subject.configuration.deadlines)
    }

    /// Opens the channel, whose delegate this is.
    func start(_ channel: NotificationChannel) {
        self.channel = channel
        loop.linkObserver = self
        survey.didEnd = { [unowned self] in surveyDidEnd() }
        channel.open()
    }

    /// The user requested the end: what was found so far is the result.
    func interrupt() {
        isInterrupted = true
        survey.abandon()
        isSurveyOver = true
        close()
        endIfOver()
    }

    // MARK: - The steps

    /// The time of the step that ends now; the next one starts.
    private func endStep() -> Duration {
        defer { stepStart = loop.now }
        return loop.now.instant - stepStart.instant
    }

    private func handshakeEnded(_ report: HandshakeReport) {
        handshake = HandshakeChecks(
            report: report, time: endStep(), now: loop.now.wall, pinCount: subject.configuration.tls.pins.count,
            protocols: subject.configuration.tls.applicationProtocols)
    }

    private func responseRead(_ date: WallTime?) {
        isAnswered = true
        let received = loop.now.wall
        clock = date.map { ClockCheck.make(date: $0, sent: stepStart.wall, received: received) }
    }

    /// The server has accepted the connection, and with it our certificate, if it asked for one.
    private func addClientCertificate() {
        guard isSecured, let handshake else { return }
        let isConfigured = subject.configuration.tls.identity != nil
        if let check = handshake.clientCertificate(isConfigured: isConfigured) { list.add(check) }
    }

    private func addClock() {
        if let clock { list.add(clock) }
    }

    private func close(after delay: Duration? = nil) {
        guard let delay else {
            timer?.cancel()
            channel?.close()
            return
        }
        timer = loop.schedule(after: delay) { [unowned self] in channel?.close() }
    }

    // MARK: - The end

    private func channelDidEnd() {
        isChannelOver = true
        timer?.cancel()
        channel = nil
        endIfOver()
    }

    private func surveyDidEnd() {
        isSurveyOver = true
        let failure = survey.findings?.isReached == true ? nil : self.failure.map { ($0.clause, advice($0)) }
        list.release(survey.findings?.checks(failure) ?? [])
        endIfOver()
    }

    private func endIfOver() {
        guard isChannelOver, isSurveyOver, status == nil else { return }
        let status = isInterrupted ? .success : failure.map(ExitStatus.init) ?? .success
        self.status = status
        didEnd(status)
    }
}

extension Examination: LinkObserver {
    func link(didTake step: LinkStep) {
        switch step {
        case .startedLookup(let host, let port, let proxy, let variable):
            self.proxy = proxy.map { ($0, variable ?? "--proxy") }
            list.hold()
            survey.begin(host: host, port: port, isProxy: proxy != nil)
            stepStart = loop.now
        case .lookedUp(let family, let result):
            survey.lookedUp(family, result)
        case .startedAttempt(let address):
            survey.startedAttempt(at: address)
        case .endedAttempt(let address, let error):
            survey.endedAttempt(at: address, error)
            guard error == nil else { return }
            stepStart = loop.now
            survey.complete()
        case .openedTunnel:
            let target = "\(subject.endpoint.host):\(subject.endpoint.port)"
            let name = proxy.map { "\($0.uri) (\($0.source))" } ?? ""
            list.add(.ok(.proxy, after: endStep(), "The proxy \(name) opened a tunnel to \(target)."))
        case .endedHandshake(let report):
            handshakeEnded(report)
        case .readResponse(_, let date):
            responseRead(date)
        case .opened:
            addClientCertificate()
            list.add(.ok(.upgrade, after: endStep(), "The server answered 101: the WebSocket is open."))
            addClock()
        }
    }

    func linkShouldUpgrade() -> Bool {
        if let handshake {
            isSecured = true
            for check in [handshake.tls, handshake.certificate, handshake.pins].compactMap(\.self) { list.add(check) }
        }
        stepStart = loop.now
        guard subject.stopsEarly else { return true }
        close(after: handshake?.report.clientCertificate ?? .notRequested == .notRequested ? nil : Self.watchTime)
        return false
    }

}

extension Examination: NotificationChannelDelegate {
    func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic]) {
        guard !topics.isEmpty else { return close(after: Self.openTime) }
        let unconfirmed = channel.unconfirmedTopics
        list.add(SubscriptionCheck.make(topics, unconfirmed: unconfirmed, after: endStep()))
        close()
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        self.failure = failure
        if survey.findings?.isReached != true { survey.end() }
        addFailure(failure)
        channelDidEnd()
    }

    func channelDidClose(_ channel: NotificationChannel) {
        if subject.stopsEarly, !isInterrupted, let check = handshake?.unansweredClientCertificate { list.add(check) }
        if isInterrupted || survey.findings == nil { isSurveyOver = true }
        channelDidEnd()
    }

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {}
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}
}

/// The checks of a connection that failed.
extension Examination {
    private func advice(_ failure: ChannelFailure) -> String {
        failure.advice(
            ChannelFailure.Circumstances(
                target: "\(subject.endpoint.host):\(subject.endpoint.port)",
                hasIdentity: subject.configuration.tls.identity != nil,
                now: loop.now.wall))
    }

    private func addFailure(_ failure: ChannelFailure) {
        switch failure.phase {
        case .dns, .connect, .token, .provision:
            // The survey has the checks of the name and of the addresses, and a channel calls no REST API.
            break
        case .proxy:
            add(.proxy, failure, detail: failure.clause + (proxy.map { "; it is that of \($0.source)" } ?? ""))
        case .tls:
            addTLSFailure(failure)
        case .upgrade:
            if isAnswered { addClientCertificate() }
            add(.upgrade, failure)
            addClock()
        case .subscribe, .open, .close:
            guard !subject.topics.isEmpty else { return add(.open, failure) }
            let topics = failure.reason == .subscriptionRefused ? "; the topics are \(subject.topics.listed)" : ""
            add(.subscription, failure, detail: failure.clause + topics)
        }
    }

    private func addTLSFailure(_ failure: ChannelFailure) {
        switch failure.reason {
        case .tlsClientCertificate:
            add(.clientCertificate, failure)
        case .tlsPinMismatch:
            if let handshake { list.add(handshake.certificate) }
            add(.pins, failure)
        case _ where failure.isCertificateFault:
            add(.certificate, failure, detail: failure.clause + (handshake?.background ?? ""))
        default:
            add(.tls, failure)
        }
    }

    private func add(_ name: Check.Name, _ failure: ChannelFailure, detail: String? = nil) {
        let time = name == .tls || name == .certificate || name == .pins ? handshake?.time ?? endStep() : endStep()
        list.add(.failure(name, after: time, Check.sentence(detail ?? failure.clause), advice: advice(failure)))
    }
}
