import GenesysLoop
import GenesysSimulator

@testable import GenesysPlatform

/// The main kind of trouble of an account.
enum AccountProfile: Int, CaseIterable, Sendable {
    case calm, moves, topics
    case tokens, strangers, rates, faults, everything

    /// Nothing in it is a loss, so no gap, no reconnect and no failure may be reported.
    var isHarmless: Bool {
        switch self {
        case .calm, .moves, .topics: true
        case .tokens, .strangers, .rates, .faults, .everything: false
        }
    }
}

/// Something that happens to an account or to its channels.
enum AccountIncident: Equatable, Sendable {
    case topics(program: Int, [Topic])
    case move(program: Int)
    case close(program: Int)
    case cut(program: Int, Incident.Cut)
    case refusing(VirtualTime)
    case upgrades(SimulatedService.Configuration.Channels.Upgrade, VirtualTime)
    case maintenance(lead: VirtualTime)
    case forbidden(Set<Topic>)
    case expireTokens
    case revokeTokens
    case client(SimulatedService.Configuration.Tokens.ClientState, VirtualTime)
    /// Another process with a token of its own makes channels.
    case strangers(Int)
    /// Another process with our token makes a channel.
    case sharer
    /// A channel of the program is removed.
    case evict(program: Int)
    case fault(SimulatedService.Fault)
    case rates(perMinute: Int, SimulatedService.Configuration.Rates.RetryAfter, VirtualTime)
    /// REST calls get no connection.
    case unreachable(VirtualTime)
    case normal
}

/// A world for an account: everything that a seed decides before the run.
struct AccountScenario {
    struct Event: Sendable {
        let time: VirtualTime
        let incident: AccountIncident
    }

    let seed: UInt64
    let profile: AccountProfile
    var source = RESTMachine.Source.client(isExclusive: true)
    /// A token of an earlier run is there; nil for none, false for one that has ended.
    var restored: Bool?
    /// Whether the host says how long a token lives that it gives.
    var saysLifetime = true
    var service = SimulatedService.Configuration()
    var topics: [[Topic]] = []
    var policies: [ReconnectPolicy] = []
    /// Whether the programs are the shards of one group.
    var isGroup = false
    /// The topics of the group, if its plan makes the shards; empty if each shard has topics of its own.
    var groupTopics: [Topic] = []
    /// The lifetime that the channels assume.
    var lifetime: Duration = .seconds(23 * 3_600)
    /// Channels of other processes at the start.
    var strangerCount = 0
    /// Whether errors of the service repeat the request with its secrets.
    var echoes = false
    /// The clock of the service minus ours.
    var clockDifference: VirtualTime = 0
    /// Approximate one-way latencies, in milliseconds.
    var latency = 1...30
    var interval: VirtualTime = .milliseconds(4_000)
    var length: VirtualTime = .seconds(900)
    var script: [Event] = []

    /// How long the quiet phase after the script lasts.
    static let settling: VirtualTime = .seconds(360)

    /// A harmless world.
    init(seed: UInt64, profile: AccountProfile) {
        self.seed = seed
        self.profile = profile
        service.publishing.rate = 0
        service.tokens.areRequired = true
        topics = [[TopicPlan.names[0]]]
        policies = [.backoff(.init())]
    }

    init(seed: UInt64) {
        var random = SplitMix64(seed: seed &* 0x9E37_79B9 &+ 29)
        let profile = AccountProfile(rawValue: random.below(AccountProfile.allCases.count)) ?? .calm
        self.init(seed: seed, profile: profile)
        configure(using: &random)
        script = makeScript(using: &random)
    }

    /// A world for a group.
    init(groupSeed seed: UInt64) {
        var random = SplitMix64(seed: seed &* 0x9E37_79B9 &+ 31)
        let profile = AccountProfile(rawValue: random.below(AccountProfile.allCases.count)) ?? .calm
        self.init(seed: seed, profile: profile)
        configure(using: &random)
        isGroup = true
        length = .seconds(random.within(60...180))
        interval = .milliseconds(6_000)
        let count = random.pick([
            2, 2, 2, 3, 3, 4, random.oneIn(8) ? profile.isHarmless ? 19 : random.pick([19, 20]) : 5,
        ])
        topics = (0..<count).map { _ in TopicPlan.choose(using: &random) }
        policies = Array(repeating: policies[0], count: count)
        // The moves of all shards, one after the other, need time.
        service.tokens.life = max(service.tokens.life, .seconds(60 * count))
        service.channels.life = max(service.channels.life, .seconds(300))
        lifetime = max(lifetime, service.channels.life * 23 / 24)
        if count > 5 { fill() }
        script = makeScript(using: &random)
    }

    /// A group whose plan makes the shards.
    mutating func share(_ all: [Topic]) {
        var plan = ShardPlan(capacity: ChannelGroupMachine.placeCount - 1)
        guard (try? plan.add(all)) != nil else { return }
        groupTopics = all
        topics = (0..<plan.shardCount).map(plan.topics)
        policies = Array(repeating: policies[0], count: topics.count)
    }

    /// A group that needs all places.
    private mutating func fill() {
        strangerCount = 0
        service.tokens.life = .seconds(86_399)
        service.channels.life = .seconds(86_400)
        lifetime = .seconds(23 * 3_600)
        service.rates.creationsPerMinute = 120
        service.rates.requestsPerMinute = 1_000
    }

    private mutating func configure(using random: inout SplitMix64) {
        length = .seconds(random.within(100...400))
        if !profile.isHarmless { latency = random.pick([1...30, 20...90, 100...400]) }
        clockDifference = .seconds(random.pick([0, 0, -7_000, 90_000]))
        strangerCount = random.pick([0, 0, 3, 16])
        echoes = random.oneIn(2)
        source = random.pick([
            .client(isExclusive: true), .client(isExclusive: true), .client(isExclusive: false), .host,
        ])
        if source != .host { restored = random.pick([nil, nil, true, false]) }
        saysLifetime = profile.isHarmless || random.oneIn(2)
        service.tokens.life = .seconds(random.pick([60, 120, 300, 600, 86_399]))
        // A token whose life is not known takes its channels with it.
        if source == .host, !saysLifetime { service.tokens.life = .seconds(86_399) }
        service.channels.life = .seconds(random.pick([70, 300, 86_400]))
        // An extension comes at 23/24 of the channel's life; the library's own default is too late for a short one.
        lifetime = random.oneIn(3) && profile != .calm ? .seconds(23 * 3_600) : service.channels.life * 23 / 24
        service.endings.superseded = .close(code: 1000)
        if !profile.isHarmless { service.endings.goneChannel = .end(random.pick([.close(code: 1001), .drop, .reset])) }
        service.endings.announcesRevocation = random.oneIn(2)
        service.tokens.hidesForeignChannels = random.oneIn(2)
        topics = []
        policies = []
        for _ in 0..<random.pick([1, 1, 1, 2, 3]) {
            topics.append(random.oneIn(12) ? [] : TopicPlan.choose(using: &random))
            let isOdd = !profile.isHarmless && random.oneIn(8)
            policies.append(isOdd ? random.pick([.never, .once]) : .backoff(.init()))
        }
    }
}
