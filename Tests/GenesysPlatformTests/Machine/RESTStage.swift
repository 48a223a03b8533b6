import GenesysLoop

@testable import GenesysPlatform

/// A REST machine in virtual time: actions as words.
struct RESTStage {
    var machine: RESTMachine
    var now = Instant(nanoseconds: 1_000_000_000)
    private(set) var calls: [RequestID: RESTCall] = [:]
    /// The requests that were sent and not answered, oldest first.
    private(set) var open: [RequestID] = []
    private(set) var mintCount = 0
    private(set) var sentCount = 0
    /// What the last list said.
    private(set) var claimed: [SecretBytes] = []
    private var callCount: UInt64 = 0

    init(_ source: RESTMachine.Source = .client(isExclusive: true), seed: UInt64 = 1) {
        machine = RESTMachine(source: source, seed: seed)
    }

    var seconds: Double { Double(now.nanoseconds) / 1e9 - 1 }
    var nextDeadline: Double? { machine.nextDeadline.map { Double($0.nanoseconds) / 1e9 - 1 } }

    static let id = SecretBytes("streaming-1")
    static let channel = ListedChannel(id: id, uri: SecretBytes("wss://x/channels/streaming-1"), remaining: nil)

    mutating func pass(_ seconds: Double) {
        now = now + .nanoseconds(Int64(seconds * 1e9))
    }

    /// Lets time pass, and fires timers on the way.
    mutating func run(_ seconds: Double) -> [String] {
        let end = now + .nanoseconds(Int64(seconds * 1e9))
        var words: [String] = []
        while let deadline = machine.nextDeadline, deadline <= end {
            now = max(now, deadline)
            words += note(machine.deadlineReached(now: now))
        }
        now = end
        return words
    }

    mutating func call(_ call: RESTCall = .createChannel, token: Token? = nil, for limit: Double? = nil) -> [String] {
        callCount += 1
        return note(
            machine.callRequested(
                CallID(rawValue: callCount), call, token: token,
                limit: limit.map { now + .nanoseconds(Int64($0 * 1e9)) },
                now: now))
    }

    mutating func cancel(_ call: UInt64) -> [String] { note(machine.callCanceled(CallID(rawValue: call))) }
    mutating func limit(_ call: UInt64, in seconds: Double) -> [String] {
        let limit = now + .nanoseconds(Int64(seconds * 1e9))
        return note(machine.limitChanged(CallID(rawValue: call), to: limit, now: now))
    }
    mutating func close() -> [String] { note(machine.closeRequested()) }

    /// Answers the oldest open request.
    mutating func answer(
        _ result: Result<RESTValue, RESTFailure>? = nil, rate: RESTAnswer.Rate? = nil, request: UInt64? = nil
    ) -> [String] {
        let request = request.map { RequestID(rawValue: $0) } ?? open.first ?? RequestID(rawValue: 0)
        open.removeAll { $0 == request }
        let usual: RESTValue =
            switch calls[request] {
            case .mintToken, nil: .token(SecretBytes("token \(request.rawValue)"), lifetime: .seconds(86_400))
            case .createChannel: .channel(RESTStage.channel)
            case .listChannels: .channels([])
            case .topics, .addTopics, .setTopics: .topics([])
            case .checkChannel, .removeTopics, .describeToken, .catalog: .done
            }
        return note(machine.answered(request, result ?? .success(usual), rate: rate, now: now))
    }

    mutating func fail(_ status: Int, retryAfter: Double? = nil, body: String = "", request: UInt64? = nil) -> [String]
    {
        let id = request.map { RequestID(rawValue: $0) } ?? open.first ?? RequestID(rawValue: 0)
        var answer = RESTAnswer(status: status, body: SecretBytes(body))
        answer.retryAfter = retryAfter.map { .nanoseconds(Int64($0 * 1e9)) }
        return self.answer((calls[id] ?? .mintToken).outcome(of: answer, hiding: []), request: request)
    }

    mutating func note(_ actions: [RESTMachine.Action]) -> [String] {
        for action in actions {
            switch action {
            case .send(let request, let call, _):
                calls[request] = call
                open.append(request)
                if call == .mintToken { mintCount += 1 } else { sentCount += 1 }
            case .ask(let request, _):
                open.append(request)
                mintCount += 1
            case .cancel(let request):
                open.removeAll { $0 == request }
            case .answer(_, let reply):
                claimed = reply.claimed
            case .keep, .tokenChanged, .tell:
                break
            }
        }
        return actions.map(\.words)
    }

    static func broken(_ reason: FailureReason = .connectionClosed, mayHaveActed: Bool = false) -> RESTFailure {
        RESTFailure(
            .transport, ChannelFailure(reason: reason, phase: .provision), mayHaveActed: mayHaveActed)
    }
}

extension RESTMachine.Action {
    var words: String {
        switch self {
        case .send(let request, .mintToken, _): "mint \(request.rawValue)"
        case .send(let request, let call, let token):
            "send \(request.rawValue) \(call.method) with \(token?.id.rawValue ?? 0)"
        case .cancel(let request): "cancel \(request.rawValue)"
        case .ask(let request, let reason): "ask \(request.rawValue) \(reason)"
        case .keep(let token): "keep \(token.id.rawValue)"
        case .answer(let call, let reply):
            switch reply.result {
            case .success: "answer \(call.rawValue) with \(reply.token?.id.rawValue ?? 0)"
            case .failure(let failure): "fail \(call.rawValue) \(failure.cause)"
            }
        case .tokenChanged(let token): "token \(token.id.rawValue)"
        case .tell(.token(let lifetime)): "tell token \(lifetime?.secondsText ?? "-")"
        case .tell(.throttled(let duration)): "tell throttled \(duration.secondsText)"
        }
    }
}
