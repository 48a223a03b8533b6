import GenesysLoop
import GenesysSimulator

/// Everything that one seed decides in advance.
///
/// What it leaves open, above all latencies, comes from generators that the seed starts, so a seed determines a run.
struct Scenario: Sendable {
    struct Event: Equatable, Sendable {
        var time: VirtualTime
        var incident: Incident
    }

    let seed: UInt64
    let profile: Profile
    var settings: [ChannelSettings] = []
    var topics: [[Topic]] = []
    var sharesChannel = false
    var service = SimulatedService.Configuration()
    /// Milliseconds one way; each connection has its own.
    var latency = 1...30
    /// Nanoseconds by which packets may vary.
    var jitter = 2_000_000
    /// The mean time between two notifications.
    var interval: VirtualTime = .milliseconds(80)
    var length: VirtualTime = .seconds(400)
    /// The most messages in one read.
    var batch = 64
    /// How often a host answers a maintenance notice with another channel, in percent.
    var answersMaintenance = 0
    /// Once in this many notifications a host calls the channel from within the callback; 0 for never.
    var whim = 0
    var script: [Event] = []

    /// How long the quiet phase after the script lasts.
    static let settling: VirtualTime = .seconds(240)

    init(seed: UInt64) {
        var random = SplitMix64(seed: seed &* 0x9E37_79B9 &+ 11)
        // The first numbers of neighboring seeds are unrelated.
        profile = Profile(rawValue: random.below(Profile.allCases.count)) ?? .calm
        self.seed = seed
        configure(using: &random)
        script = makeScript(using: &random)
    }

    var hostCount: Int { topics.count }

    private mutating func configure(using random: inout SplitMix64) {
        let hostCount = profile == .takeover || random.oneIn(5) ? 2 : 1
        sharesChannel = profile == .takeover
        length = .seconds(random.within(200...600))
        interval = length / 5_000 / VirtualTime(hostCount) * 2
        batch = random.pick([1, 4, 64, 1_000])
        service.publishing.rate = 0
        service.channels.forbiddenTopics = [TopicPlan.forbidden]
        service.publishing.newestSocketOnly = random.oneIn(3)
        service.endings.supersededDelay = .zero ... .milliseconds(random.pick([0, 20, 200]))
        service.endings.supersededNotice = random.oneIn(4) ? .duplicateID : nil
        if !profile.isHarmless { configureTrouble(using: &random) }
        if profile == .rollovers || profile == .everything { answersMaintenance = random.pick([0, 50, 100]) }
        if profile == .maintenance { answersMaintenance = random.pick([0, 0, 100]) }
        if profile == .everything || profile == .pauses { whim = random.pick([0, 100, 1_000]) }
        for _ in 0..<hostCount {
            topics.append(random.oneIn(12) && profile == .calm ? [] : TopicPlan.choose(using: &random))
            settings.append(makeSettings(using: &random))
        }
    }

    private mutating func configureTrouble(using random: inout SplitMix64) {
        latency = random.pick([1...30, 20...90, 50...400])
        jitter = random.pick([100_000, 5_000_000, 50_000_000])
        service.endings.superseded = random.pick([.close(code: 1000), .close(code: 1000), .close(code: 1008), .drop])
        service.endings.maintenance = random.pick([.close(code: 1001), .close(code: 1012), .drop])
        service.endings.goneChannel = .end(random.pick([.close(code: 1001), .drop]))
    }

    private func makeSettings(using random: inout SplitMix64) -> ChannelSettings {
        var settings = ChannelSettings()
        settings.rolloverJitter = .milliseconds(random.pick([0, 0, 1_500]))
        if profile == .life || profile == .everything {
            settings.lifetime = .seconds(random.within(30...150))
        }
        guard !profile.isHarmless else { return settings }
        if random.oneIn(8) { settings.reconnect = random.pick([.never, .once]) }
        if random.oneIn(8) { settings.rollover = .manual }
        if random.oneIn(8) { settings.extendsLifetime = false }
        if profile == .takeover, random.oneIn(4) { settings.takeover = .yield }
        return settings
    }
}
