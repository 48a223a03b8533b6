import GenesysLoop
import GenesysSimulator

/// The script of an account: its incidents and their times.
extension AccountScenario {
    private typealias Maker = (inout SplitMix64, Int) -> AccountIncident

    func makeScript(using random: inout SplitMix64) -> [Event] {
        let makers: [Maker]
        switch profile {
        case .calm: makers = []
        case .moves: makers = [move, maintenance]
        case .topics: makers = [topicChange, move]
        case .tokens: makers = [tokens, tokens, mintFault, move]
        case .strangers: makers = [strangers, strangers, evict, sharer, cut]
        case .rates: makers = [rates, throttle, throttle, move, evict]
        case .faults: makers = [fault, fault, lostCreation, lostCreation, move, evict, unreachable]
        case .everything:
            makers = [
                move, maintenance, topicChange, forbidden, tokens, mintFault, strangers, sharer, evict, rates,
                throttle, fault, lostCreation, unreachable, cut, refusing, upgrades,
            ]
        }
        var events: [Event] = []
        var time = VirtualTime.seconds(random.within(0...10))
        let most = random.pick([10, 40, 100])
        while time < length, !makers.isEmpty {
            let maker = random.pick(makers)
            events.append(Event(time: time, incident: maker(&random, random.below(topics.count))))
            time += random.time(0.001...Double(most))
        }
        if random.oneIn(3) {
            let closing = AccountIncident.close(program: random.below(topics.count))
            events.append(Event(time: random.time(0...Double(length / .second)), incident: closing))
        }
        return events.sorted { $0.time < $1.time }
    }

    // MARK: - Makers

    private var move: Maker { { _, program in .move(program: program) } }
    private var evict: Maker { { _, program in .evict(program: program) } }
    private var sharer: Maker { { _, _ in .sharer } }
    private var strangers: Maker { { random, _ in .strangers(random.pick([1, 2, 5, 18, 19, 25])) } }
    private var unreachable: Maker { { random, _ in .unreachable(random.time(0.5...60)) } }
    private var refusing: Maker { { random, _ in .refusing(random.time(0.5...20)) } }

    private var topicChange: Maker {
        { random, program in .topics(program: program, TopicPlan.choose(using: &random)) }
    }

    private var maintenance: Maker { { random, _ in .maintenance(lead: .seconds(random.pick([20, 60]))) } }

    private var cut: Maker {
        { random, program in .cut(program: program, random.pick([.reset, .resetLosingUnread, .endOfFile])) }
    }

    private var forbidden: Maker {
        { random, _ in .forbidden(Set((0..<random.below(4)).map { _ in random.pick(TopicPlan.singles) })) }
    }

    private var tokens: Maker {
        { random, _ in
            if random.oneIn(12) { return .client(random.pick([.disabled, .unknown]), random.time(1...40)) }
            return random.pick([.expireTokens, .revokeTokens, .revokeTokens])
        }
    }

    private var upgrades: Maker {
        { random, _ in
            .upgrades(
                random.pick([.refuse(.unavailable()), .reset, .neverAnswer, .refuse(.tooManyRequests(retryAfter: 3))]),
                random.time(0.5...15))
        }
    }

    private var rates: Maker {
        { random, _ in
            .rates(
                perMinute: random.pick([3, 10, 30]), random.pick([.remaining, .absent, .seconds(5)]),
                random.time(10...90))
        }
    }

    private var throttle: Maker {
        { random, _ in
            let seconds = random.pick([1, 7, 20, random.oneIn(10) ? 7_200 : 30])
            var refusal = SimulatedService.Refusal.tooManyRequests(retryAfter: seconds)
            if random.oneIn(3) { refusal.headers = [] }
            return .fault(Self.fault(anyPath(&random), .refuse(refusal), count: random.within(1...4)))
        }
    }

    private var fault: Maker {
        { random, _ in
            let answers: [SimulatedService.Fault.Answer] = [
                .refuse(.unavailable()), .refuse(.unavailable(retryAfter: 2)), .html(status: 502), .html(status: 503),
                .html(status: 504), .refuse(.init(status: 500, message: "It failed.")), .empty(status: 408), .reset,
                .truncate, .close, .never, .html(status: 200), .empty(status: 200), .honest,
            ]
            var fault = Self.fault(anyPath(&random), random.pick(answers), count: random.within(1...3))
            if fault.answer == .honest || random.oneIn(4) { fault.delay = .milliseconds(random.within(1...40_000)) }
            if random.oneIn(4) { fault.takesEffect.toggle() }
            return .fault(fault)
        }
    }

    /// A creation whose answer is lost, whether it happened or not.
    private var lostCreation: Maker {
        { random, _ in
            let answers: [SimulatedService.Fault.Answer] = [.close, .reset, .truncate, .never, .html(status: 504)]
            var fault = Self.fault(("channels", "POST"), random.pick(answers), count: random.within(1...2))
            fault.takesEffect = random.oneIn(3) ? false : true
            return .fault(fault)
        }
    }

    private var mintFault: Maker {
        { random, _ in
            let answers: [SimulatedService.Fault.Answer] = [
                .refuse(.init(status: 400, message: "")), .refuse(.tooManyRequests(retryAfter: 4)),
                .refuse(.unavailable()), .never, .html(), .empty(), .close, .reset,
            ]
            return .fault(Self.fault(("oauth/token", "POST"), random.pick(answers), count: random.within(1...3)))
        }
    }

    private func anyPath(_ random: inout SplitMix64) -> (String, String) {
        random.pick([
            ("channels", "POST"), ("channels", "GET"), ("subscriptions", "PUT"), ("subscriptions", "DELETE"),
        ])
    }

    private static func fault(
        _ place: (path: String, method: String), _ answer: SimulatedService.Fault.Answer, count: Int
    ) -> SimulatedService.Fault {
        var fault = SimulatedService.Fault(path: place.path, method: place.method, answer: answer)
        fault.count = count
        return fault
    }
}
