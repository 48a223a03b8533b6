public import GenesysLoop
internal import Logging

/// The REST side of one account on a loop: tokens, and the calls with which channels are made and kept.
///
///     let region = try PlatformRegion("mypurecloud.de")
///     let platform = try Platform(region: region, credentials: .client(id: id, secret: secret), on: loop)
///     let channel = try ProvisionedChannel(topics: ["v2.users.….presence"], on: platform, delegate: host)
///     channel.open()
///     loop.run()
///
/// One for each account, whatever the number of its channels: they share one token, which is renewed before it ends,
/// and one pace, so that a 429 to one of them holds them all. It is no general client of the API.
///
/// - Life: open channels retain it. Without an open channel it has nothing on the loop.
/// - Thread: every member but `loop` and `description` belongs on the loop's thread and traps elsewhere.
///
/// Source: platform sheet; RFC 6749 §4.4.
public final class Platform {
    /// The loop that drives the calls.
    public let loop: UVLoop
    /// Receives what concerns all channels; held weakly.
    public var delegate: (any PlatformDelegate)? {
        get {
            loop.preconditionCurrent("Platform.delegate")
            return weakDelegate
        }
        set {
            loop.preconditionCurrent("Platform.delegate")
            weakDelegate = newValue
        }
    }

    private weak var weakDelegate: (any PlatformDelegate)?

    let region: PlatformRegion
    let credentials: PlatformCredentials
    let deadlines: (connect: Duration, call: Duration)
    let logger: Logger
    let engine: HTTPEngine
    private let cache: TokenCacheWriter?
    private(set) var machine: RESTMachine
    private var pending = Fifo<RESTMachine.Action>()
    private var isPerforming = false
    private var timer: Timer?
    /// The requests under way.
    private var requests: [RequestID: Request] = [:]
    private var question: (id: RequestID, request: Weak<TokenRequest>)?
    /// Who gets the answers.
    private var callers: [CallID: (RESTReply) -> Void] = [:]
    private var channels: [ObjectIdentifier: ProvisionedChannel] = [:]
    private var nextCall: UInt64 = 1
    /// The tokens with which calls were made last.
    var hiddenTokens: [SecretBytes] = []

    /// A request, and the call that it is for.
    private struct Request {
        let http: HTTPCall
        let call: RESTCall
        let token: Token?
        let start: Instant
    }

    /// Makes the REST side. It does nothing until a channel is opened.
    ///
    /// Reads the files that the TLS configuration and `tokenCache` name.
    ///
    /// - Throws: `ChannelFailure` of phase `token` or `provision` with reason `invalidURI` (a region without the token
    ///   endpoint, a token cache that cannot be used), `tlsHandshake` (trust or identity that cannot be used) or
    ///   `ambiguous` (a libcurl that cannot be used).
    /// - Precondition: called on the loop's thread.
    public init(
        region: PlatformRegion, credentials: PlatformCredentials, on loop: UVLoop,
        delegate: (any PlatformDelegate)? = nil, configuration: PlatformConfiguration = PlatformConfiguration()
    ) throws(ChannelFailure) {
        loop.preconditionCurrent("Platform.init")
        var seed = SystemRandomNumberGenerator()
        self.loop = loop
        self.region = region
        self.credentials = credentials
        weakDelegate = delegate
        deadlines = (configuration.connectDeadline, configuration.callDeadline)
        logger = configuration.logger
        var http = HTTPEngine.Configuration(logger: configuration.logger)
        http.tls = configuration.tls
        http.proxy = configuration.proxy
        http.environmentProxyCredentials = configuration.environmentProxyCredentials
        http.userAgent = configuration.userAgent
        do throws(HTTPFailure) {
            engine = try HTTPEngine(on: loop, configuration: http)
        } catch {
            throw RESTFailure(error, of: .listChannels).failure
        }
        switch credentials.kind {
        case .client(let id, _, _):
            guard let login = region.login else {
                throw .usage("An OAuth client needs the region, or the base URL of its token endpoint")
            }
            let file = configuration.tokenCache.map { TokenCache($0, of: "\(id) \(login.text)") }
            cache = file.map { TokenCacheWriter($0, on: loop, logger: configuration.logger) }
            machine = RESTMachine(source: .client(isExclusive: file == nil), seed: seed.next())
            let now = loop.now
            if let kept = try file?.read(now: now.wall) {
                machine.restore(kept.value, lifetime: kept.lifetime, now: now.instant)
            }
        case .host:
            cache = nil
            machine = RESTMachine(source: .host, seed: seed.next())
        }
    }

    deinit {
        for _ in callers { loop.unhold() }
        loop.secrets[ObjectIdentifier(self)] = nil
        timer?.close()
        engine.close()
    }

    /// What the REST side trusts; nil without TLS.
    package var trust: TrustReport? {
        loop.preconditionCurrent("Platform.trust")
        return region.api.isSecure ? engine.trust : nil
    }

    // MARK: - Channels

    /// A channel opens.
    func join(_ channel: ProvisionedChannel) -> Token? {
        channels[ObjectIdentifier(channel)] = channel
        machine.userJoined()
        setTimer()
        return machine.tokens.usable(now: loop.now.instant)
    }

    /// A channel has ended.
    func leave(_ channel: ProvisionedChannel) {
        guard channels.removeValue(forKey: ObjectIdentifier(channel)) != nil else { return }
        machine.userLeft()
        // Without a channel nothing needs a token.
        if channels.isEmpty, callers.isEmpty { submit(machine.closeRequested()) }
        setTimer()
    }

    /// A range of numbers for the calls of a channel.
    func nextCallRange() -> UInt64 {
        nextCall &+= 1 << 32
        return nextCall
    }

    // MARK: - Calls

    /// Makes a call on behalf of a caller, who is answered from the loop.
    ///
    /// - Parameters:
    ///   - token: that of the channel which it is about; nil for the present one.
    ///   - limit: when its last attempt starts; nil for no limit.
    func call(
        _ id: CallID, _ call: RESTCall, token: Token?, limit: Instant?,
        _ answer: @escaping (RESTReply) -> Void
    ) {
        loop.hold()
        callers[id] = answer
        submit(machine.callRequested(id, call, token: token, limit: limit, now: loop.now.instant))
    }

    /// A single call, for diagnosis.
    package func call(
        _ call: RESTCall, limit: Instant?, _ answer: @escaping (Result<RESTValue, RESTFailure>) -> Void
    ) -> CallID {
        loop.preconditionCurrent("Platform.call")
        let id = CallID(rawValue: nextCallRange())
        self.call(id, call, token: nil, limit: limit) { answer($0.result) }
        return id
    }

    /// The caller does not wait any longer.
    package func cancel(_ id: CallID) {
        guard callers.removeValue(forKey: id) != nil else { return }
        submit(machine.callCanceled(id))
        if channels.isEmpty, callers.isEmpty { submit(machine.closeRequested()) }
        loop.unhold()
    }

    /// There is another token: asks for it, and channels move to it.
    package func renewToken() {
        loop.preconditionCurrent("Platform.renewToken")
        submit(machine.renewalRequested(now: loop.now.instant))
    }

    func setLimit(_ limit: Instant?, of id: CallID) {
        submit(machine.limitChanged(id, to: limit, now: loop.now.instant))
    }

    func discard(_ token: TokenID) {
        submit(machine.tokenDiscarded(token, now: loop.now.instant))
    }

    // MARK: - Actions

    /// Queues actions, which are performed from the loop.
    private func submit(_ actions: [RESTMachine.Action]) {
        setTimer()
        guard !actions.isEmpty else { return }
        let isScheduled = isPerforming || !pending.isEmpty
        pending.append(contentsOf: actions)
        if !isScheduled { loop.schedule(self) }
    }

    private func perform(_ action: RESTMachine.Action) {
        switch action {
        case .send(let id, let call, let token):
            send(id, call, token)
        case .cancel(let id):
            requests.removeValue(forKey: id)?.http.cancel()
            if question?.id == id { takeQuestion()?.cancel() }
        case .ask(let id, let reason):
            ask(id, reason)
        case .keep(let token):
            keep(token)
        case .answer(let id, let reply):
            guard let answer = callers.removeValue(forKey: id) else { return }
            if case .success(.channel(let channel)) = reply.result { warn(about: channel) }
            answer(reply)
            loop.unhold()
        case .tokenChanged(let token):
            for channel in Array(channels.values) { channel.tokenDidChange(to: token) }
        case .tell(.token(let lifetime)):
            weakDelegate?.platform(self, didObtainToken: lifetime)
        case .tell(.throttled(let delay)):
            logger.debug("throttled for \(delay.secondsText) s")
            weakDelegate?.platform(self, isThrottledFor: delay)
        }
    }

    private func send(_ id: RequestID, _ call: RESTCall, _ token: Token?) {
        if let token { hide(token.value) }
        let result: Result<HTTPRequest, HTTPFailure>
        do throws(HTTPFailure) {
            result = .success(try request(for: call, token))
        } catch {
            result = .failure(error)
        }
        switch result {
        case .success(let request):
            let http = engine.start(request, owner: self)
            requests[id] = Request(http: http, call: call, token: token, start: loop.now.instant)
        case .failure(let failure):
            answered(id, .failure(RESTFailure(failure, of: call)))
        }
    }

    private func answered(
        _ id: RequestID, _ result: Result<RESTValue, RESTFailure>, rate: RESTAnswer.Rate? = nil
    ) {
        submit(machine.answered(id, result, rate: rate, now: loop.now.instant))
    }

    private func keep(_ token: Token) {
        let now = loop.now
        let remaining = token.end.map { $0 - now.instant }
        cache?.write(token.value, end: remaining.map { now.wall + $0 })
    }

    private func warn(about channel: ListedChannel) {
        guard let uri = channel.uri, let host = region.unexpectedHost(of: uri) else { return }
        logger.warning("the channel is at \(host), which is not in the region")
    }

    // MARK: - The host's tokens

    private func ask(_ id: RequestID, _ reason: TokenReason) {
        guard case .host(let provide) = credentials.kind else { return }
        let request = TokenRequest(reason, on: loop) { [weak self] result in
            guard let self, question?.id == id else { return }
            question = nil
            answered(id, result)
        }
        question = (id, Weak(request))
        provide(request)
    }

    private func takeQuestion() -> TokenRequest? {
        defer { question = nil }
        return question?.request.object
    }

    // MARK: - Time

    private func setTimer() {
        guard let deadline = machine.nextDeadline else {
            timer?.close()
            timer = nil
            return
        }
        // What is waited for keeps the loop running: an open channel, or a call.
        if timer == nil { timer = Timer(loop: loop, group: engine.group, owner: self, keepsRunning: false) }
        timer?.start(at: deadline)
    }
}

extension Platform: LoopTask {
    package func runTask() {
        guard !isPerforming else { return }
        isPerforming = true
        while let action = pending.popFirst() { perform(action) }
        isPerforming = false
    }
}

extension Platform: TimerOwner {
    package func timerDidFire(_ timer: Timer) {
        submit(machine.deadlineReached(now: loop.now.instant))
    }
}

extension Platform: HTTPCallOwner {
    package func call(_ http: HTTPCall, didEndWith result: Result<HTTPAnswer, HTTPFailure>) {
        guard let (id, request) = requests.first(where: { $0.value.http === http }) else { return }
        requests[id] = nil
        let now = loop.now
        switch result {
        case .success(let answer):
            let answer = RESTAnswer(answer, now: now.wall)
            logger.debug(
                "\(request.call): status \(answer.status) after \((now.instant - request.start).secondsText) s")
            let outcome = request.call.outcome(of: answer, hiding: secrets(of: request.call, request.token))
            answered(id, outcome, rate: answer.rate)
        case .failure(let failure):
            logger.debug("\(request.call): \(failure)")
            answered(id, .failure(RESTFailure(failure, of: request.call)))
        }
    }
}

extension Platform: CustomStringConvertible, CustomReflectable {
    /// The base URLs, and whose tokens they are.
    public var description: String { "Platform(\(region), \(credentials))" }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
