import GenesysLoop
import GenesysSimulator

/// The script of a scenario: its incidents, places and times.
extension Scenario {
    private typealias Maker = (inout SplitMix64, Int) -> Incident

    func makeScript(using random: inout SplitMix64) -> [Event] {
        var events: [Event] = []
        var makers: [Maker] = common
        switch profile {
        case .calm: makers = [storm]
        case .maintenance: makers = [maintenance]
        case .topics: makers = [topicChange]
        case .clocks: makers = [block, suspend, setClock]
        case .pauses: makers = [pause, pause, block, topicChange, maintenance]
        case .life: makers = [topicChange]
        case .hostile: makers = network + [maintenance]
        case .service: makers = serviceActs + [cut]
        case .takeover: makers = [cut, disconnect, maintenance, topicChange]
        case .rollovers: makers = [maintenance, rollover, rollover, cut, topicChange, refusals]
        case .everything:
            // A host cannot separate the effects of a sleep and a clock set back in one outage.
            let clock = random.oneIn(2) ? suspend : setClock
            makers = network + serviceActs + hostActs + [maintenance, maintenance, block, pause, clock]
        }
        var time = VirtualTime.seconds(random.within(1...10))
        let most = random.pick([8, 20, 60])
        while time < length, !makers.isEmpty {
            let maker = random.pick(makers)
            events.append(Event(time: time, incident: maker(&random, random.below(hostCount))))
            time += random.time(0.001...Double(most))
        }
        if let last = finalIncident(using: &random) {
            events.append(Event(time: length - .seconds(random.within(1...60)), incident: last))
        }
        if sharesChannel { events.append(Event(time: length - 1, incident: .close(host: 1))) }
        return events.sorted { $0.time < $1.time }
    }

    /// Incidents that usually end a channel come late, so that most of the run is useful.
    private func finalIncident(using random: inout SplitMix64) -> Incident? {
        let host = random.below(hostCount)
        switch profile {
        case .service, .everything, .rollovers:
            return random.pick([
                .evict(host: host), .expire(host: host), .revoke(host: host), .notice(.tokenRevoked),
                .close(host: host), .replies(.failure, .seconds(20)), .replies(.notFound, .seconds(20)), nil, nil, nil,
            ])
        case .hostile, .topics, .maintenance:
            return random.oneIn(4) ? .close(host: host) : nil
        case .calm, .clocks, .pauses, .life, .takeover:
            return nil
        }
    }

    // MARK: - Makers

    private var common: [Maker] { [maintenance] }
    private var network: [Maker] { [cut, cut, cut, hole, hole, stall, stall, unreachable, refusing, disconnect] }
    private var serviceActs: [Maker] {
        [refusals, refusals, replies, replies, unanswered, quiet, notice, forbidden, topicChange, junk]
    }
    private var hostActs: [Maker] { [topicChange, rollover] }

    private var maintenance: Maker {
        { [profile] random, _ in
            let isKind = profile.isHarmless
            // A host that does not read until the service closes the socket has lost it.
            let kindLead = profile == .pauses ? [600] : [20, 60]
            let lead = random.pick(isKind ? kindLead : [0, 1, 5, 60])
            return .maintenance(notices: random.pick(isKind ? [1, 1, 3] : [0, 1, 1, 3]), lead: .seconds(lead))
        }
    }

    private var cut: Maker {
        { random, host in
            .cut(
                host: host, link: random.below(2),
                random.pick([Incident.Cut.reset, .reset, .resetLosingUnread, .endOfFile]))
        }
    }

    private var hole: Maker {
        { random, host in
            .hole(host: host, link: random.below(2), random.pick([Incident.Direction.both, .both, .up, .down]))
        }
    }

    private var stall: Maker {
        { random, host in .stall(host: host, link: random.below(2), random.time(0.1...50)) }
    }

    private var unreachable: Maker { { random, host in .unreachable(host: host, random.time(1...40)) } }
    private var refusing: Maker { { random, _ in .refusing(random.time(0.5...60)) } }

    private var disconnect: Maker {
        { random, _ in
            .disconnect(
                random.pick([.close(code: 1000), .close(code: 1001), .close(code: 1012), .close(code: 1011), .drop]))
        }
    }

    private var refusals: Maker {
        { random, _ in
            .upgrades(
                random.pick([
                    .refuse(.tooManyRequests(retryAfter: random.within(1...20))), .refuse(.unavailable()),
                    .refuse(.unavailable(retryAfter: 5)), .reset, .neverAnswer,
                    random.oneIn(6) ? .refuse(random.pick([.unauthorized, .forbidden, .notFound])) : .reset,
                ]), random.time(0.5...30))
        }
    }

    private var replies: Maker {
        { random, _ in
            .replies(
                random.pick([
                    .delayed(.milliseconds(random.within(1...9_000))), .delayed(.milliseconds(random.within(1...900))),
                    .twice, .unsaid, .afterData, random.oneIn(10) ? .failure : .twice,
                ]), random.time(0.5...30))
        }
    }

    private var unanswered: Maker { { random, _ in .unanswered(random.time(1...30)) } }

    private var quiet: Maker {
        { random, _ in .quiet(heartbeats: random.oneIn(2), pongs: random.oneIn(2), random.time(10...100)) }
    }

    private var notice: Maker {
        { random, _ in .notice(random.pick([.noLongerSubscribed, .subscriptionChanged, .duplicateID])) }
    }

    private var storm: Maker {
        { random, _ in .storm(random.within(1...60), .milliseconds(random.within(1...400))) }
    }

    private var forbidden: Maker {
        { random, host in .topics(host: host, TopicPlan.choose(using: &random) + [TopicPlan.forbidden]) }
    }

    private var junk: Maker { { random, _ in .junk(random.below(5)) } }
    private var topicChange: Maker { { random, host in .topics(host: host, TopicPlan.choose(using: &random)) } }

    private var rollover: Maker {
        { random, host in
            .rollover(
                host: host,
                random.pick([Incident.Destination.newChannel, .newChannel, .sameChannel, .unknownChannel]))
        }
    }

    private var block: Maker { { random, host in .block(host: host, random.time(0.01...60)) } }
    private var suspend: Maker { { random, host in .suspend(host: host, random.time(1...3_000)) } }

    private var setClock: Maker {
        { random, host in .setClock(host: host, random.time(-4_000...4_000)) }
    }

    private var pause: Maker { { random, host in .pause(host: host, random.time(0.01...90)) } }
}
