import Testing

@testable import GenesysLoop

/// When the automatic rollover starts, on the value alone.
@Suite struct MaintenanceScheduleTests {
    /// The schedule, its settings, and the source of its jitter.
    private struct Fixture {
        var maintenance = Maintenance()
        var settings = ChannelSettings()
        var random: SplitMix64

        init(seed: UInt64 = 1, _ configure: (inout ChannelSettings) -> Void = { _ in }) {
            random = SplitMix64(seed: seed)
            configure(&settings)
        }

        /// A notice so long after the confirmation of its link, which lasts for `lifetime`.
        mutating func announce(after lifetime: Duration = .seconds(600), at second: Double = 600) {
            let now = Instant.at(second)
            maintenance.announced(confirmedAt: now + (.zero - lifetime), settings, now: now, random: &random)
        }

        mutating func fail(
            _ failure: ChannelFailure = LinkEnd.refused.failure, _ purpose: ChannelMachine.Purpose = .maintenance,
            at second: Double = 600
        ) {
            maintenance.settled()
            maintenance.rolloverFailed()
            maintenance.scheduleRetry(after: failure, purpose, settings, now: .at(second), random: &random)
        }

        /// How long after 600 s the rollover starts.
        var delay: Duration? { maintenance.rolloverDue.map { $0 - .at(600) } }
    }

    /// A back-off whose first delay is one to two seconds, and whose second one is up to four.
    private static func slow(_ settings: inout ChannelSettings) {
        settings.reconnect = .backoff(.init(base: .seconds(2), floor: .seconds(1)))
    }

    // MARK: - Notices

    @Test func `without a notice no rollover is planned`() {
        #expect(Maintenance().rolloverDue == nil)
    }

    @Test func `without a jitter the rollover is due at once`() {
        var fixture = Fixture()
        fixture.announce()
        #expect(fixture.delay == .zero)
    }

    @Test func `the jitter spreads the rollovers over its length and no further`() {
        let delays = (0..<200 as Range<UInt64>).compactMap { seed in
            var fixture = Fixture(seed: seed) { $0.rolloverJitter = .seconds(10) }
            fixture.announce()
            return fixture.delay
        }
        #expect(delays.count == 200)
        #expect(delays.allSatisfy { (.zero)...(.seconds(10)) ~= $0 })
        #expect(delays.contains { $0 < .seconds(1) })
        #expect(delays.contains { $0 > .seconds(9) })
    }

    @Test func `a negative jitter is none`() {
        var fixture = Fixture { $0.rolloverJitter = .seconds(-10) }
        fixture.announce()
        #expect(fixture.delay == .zero)
    }

    @Test func `with the manual policy a notice plans nothing`() {
        var fixture = Fixture { $0.rollover = .manual }
        fixture.announce()
        #expect(fixture.delay == nil)
    }

    @Test func `a rollover that starts, or a link that ends, settles the notice`() {
        var fixture = Fixture()
        fixture.announce()
        fixture.maintenance.settled()
        #expect(fixture.delay == nil)
    }

    // MARK: - Premature notices

    @Test func `thirty notices in a row right after a confirmation are followed at once, the next ones ever later`() {
        var fixture = Fixture(Self.slow)
        for _ in 0..<Maintenance.maxPrematureNoticeCount {
            fixture.announce(after: .milliseconds(100))
            #expect(fixture.delay == .zero)
        }
        var longest = Duration.zero
        for _ in 0..<40 {
            fixture.announce(after: .milliseconds(100))
            let delay = fixture.delay ?? .zero
            #expect(delay >= .seconds(1))
            #expect(delay <= .seconds(30), "half of the minute that the service grants")
            longest = max(longest, delay)
        }
        #expect(longest == .seconds(30))
    }

    @Test func `the first delay after premature notices is short`() {
        for seed in 0..<20 as Range<UInt64> {
            var fixture = Fixture(seed: seed, Self.slow)
            for _ in 0...Maintenance.maxPrematureNoticeCount { fixture.announce(after: .zero) }
            #expect((.seconds(1))...(.seconds(4)) ~= fixture.delay ?? .zero)
        }
    }

    @Test func `a notice counts as premature within a second of the confirmation`() {
        for (lifetime, isPremature) in [(Duration.seconds(1), true), (.milliseconds(1_001), false)] {
            var fixture = Fixture(Self.slow)
            for _ in 0...Maintenance.maxPrematureNoticeCount { fixture.announce(after: lifetime) }
            #expect((fixture.delay != .zero) == isPremature)
        }
    }

    @Test func `one link that lives longer ends the series`() {
        var fixture = Fixture(Self.slow)
        for _ in 0..<Maintenance.maxPrematureNoticeCount { fixture.announce(after: .zero) }
        fixture.announce()
        for _ in 0..<Maintenance.maxPrematureNoticeCount { fixture.announce(after: .zero) }
        #expect(fixture.delay == .zero)
    }

    // MARK: - Rollovers that failed

    @Test(arguments: [ReconnectPolicy.never, .once, .backoff(.init())])
    func `after the host's own rollover failed, the automatic one starts at once`(_ policy: ReconnectPolicy) {
        var fixture = Fixture { $0.reconnect = policy }
        fixture.announce()
        fixture.fail(LinkEnd.status(404).failure, .requested)
        #expect(fixture.delay == .zero)
    }

    @Test func `each failure since the notice doubles the longest delay`() {
        var longest: [Duration] = [.zero, .zero, .zero]
        for seed in 0..<100 as Range<UInt64> {
            var fixture = Fixture(seed: seed, Self.slow)
            fixture.announce()
            for index in longest.indices {
                fixture.fail()
                let delay = fixture.delay ?? .zero
                #expect(delay >= .seconds(1))
                longest[index] = max(longest[index], delay)
            }
        }
        #expect(longest[0] > .milliseconds(1_800) && longest[0] <= .seconds(2))
        #expect(longest[1] > .milliseconds(3_600) && longest[1] <= .seconds(4))
        #expect(longest[2] > .milliseconds(7_000) && longest[2] <= .seconds(8))
    }

    @Test func `failures before a notice do not count for it`() {
        for seed in 0..<20 as Range<UInt64> {
            var fixture = Fixture(seed: seed, Self.slow)
            for _ in 0..<10 { fixture.maintenance.rolloverFailed() }
            fixture.announce()
            fixture.fail()
            #expect(fixture.delay ?? .zero <= .seconds(2))
        }
    }

    @Test func `a Retry-After that is longer than the delay is respected`() {
        var fixture = Fixture(Self.slow)
        fixture.announce()
        fixture.fail(LinkEnd.status(503, retryAfter: .seconds(9)).failure)
        #expect(fixture.delay == .seconds(9))
        fixture.fail(LinkEnd.status(503, retryAfter: .zero).failure)
        #expect(fixture.delay ?? .zero >= .seconds(1))
    }

    @Test func `after a final answer, or without a back-off, the automatic rollover is not tried again`() {
        var fixture = Fixture()
        fixture.announce()
        fixture.fail(LinkEnd.status(404).failure)
        #expect(fixture.delay == nil)
        for policy in [ReconnectPolicy.never, .once] {
            fixture = Fixture { $0.reconnect = policy }
            fixture.announce()
            fixture.fail()
            #expect(fixture.delay == nil)
        }
    }

    @Test(arguments: [ChannelMachine.Purpose.requested, .maintenance])
    func `with the manual policy no failure starts a rollover`(_ purpose: ChannelMachine.Purpose) {
        var fixture = Fixture { $0.rollover = .manual }
        fixture.announce()
        fixture.fail(LinkEnd.refused.failure, purpose)
        #expect(fixture.delay == nil)
    }
}
