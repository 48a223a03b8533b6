import GenesysLoop

@testable import GenesysRelay

/// What the engine of a run does beside storing.
enum RelayProfile: CaseIterable, Hashable {
    case calm, losesReplies, rollsBack, refuses, slow, full, restarts, everything
}

/// One seed: settings, source and incidents.
struct RelayScenario {
    let seed: UInt64
    let profile: RelayProfile
    let settings: RelaySettings
    /// The most notifications that the source delivers.
    let notificationCount: Int
    /// The mean time between two of them.
    let pace: VirtualTime
    /// Records with more bytes are refused for good.
    let sizeLimit: Int
    /// How long a message is under way to the engine or back.
    let latency: ClosedRange<Double>
    /// When the incidents begin.
    let incidents: [VirtualTime]

    init(seed: UInt64) {
        self.seed = seed
        var random = SplitMix64(seed: seed &* 0x9E37)
        profile = RelayProfile.allCases[Int(seed % UInt64(RelayProfile.allCases.count))]
        var settings = RelaySettings()
        settings.queueBytes = random.within(3...24) * 1_024
        settings.overflow = random.oneIn(2) ? .pause : .dropOldest
        settings.pauseLimit = .seconds(random.within(1...10))
        settings.batchCount = random.within(1...8)
        settings.batchBytes = random.within(300...2_000)
        settings.inFlightBytes = random.within(500...4_000)
        settings.drainLimit = .seconds(600)
        self.settings = settings
        notificationCount = random.within(30...120)
        let quick = profile == .slow || profile == .full || random.oneIn(3)
        pace = quick ? .milliseconds(random.within(2...20)) : .milliseconds(random.within(20...900))
        sizeLimit = profile == .refuses || profile == .everything ? 350 : .max
        latency = profile == .slow ? 0.05...2 : random.oneIn(2) ? 0.0001...0.002 : 0.001...0.2
        let span = Double(notificationCount) * Double(pace) / Double(VirtualTime.second)
        incidents = (0..<(profile == .calm ? 0 : random.within(1...7))).map { _ in
            random.time(0.01...max(1, span * 1.1))
        }.sorted()
    }
}
