import Testing

@testable import GenesysLoop

@Suite struct InstantTests {
    @Test func `adding a duration beyond the range saturates`() {
        #expect(Instant(nanoseconds: .max - 1) + .seconds(1) == Instant(nanoseconds: .max))
        #expect(Instant(nanoseconds: .min + 1) + .seconds(-1) == Instant(nanoseconds: .min))
        #expect(Instant(nanoseconds: 0) + .seconds(Int64.max) == Instant(nanoseconds: .max))
    }

    @Test func `the difference of two instants is their distance`() {
        #expect(Instant(nanoseconds: 1_500) - Instant(nanoseconds: 500) == .nanoseconds(1_000))
        #expect(Instant(nanoseconds: .max) - Instant(nanoseconds: -1) == .nanoseconds(Int64.max))
    }

    @Test func `wall time carries nanoseconds into seconds, before 1970 too`() {
        #expect(WallTime(seconds: 1, nanoseconds: 1_500_000_000) == WallTime(seconds: 2, nanoseconds: 500_000_000))
        #expect(WallTime(seconds: 0, nanoseconds: -1) == WallTime(seconds: -1, nanoseconds: 999_999_999))
        #expect(
            WallTime(seconds: 5, nanoseconds: 900_000_000) + .milliseconds(200)
                == WallTime(seconds: 6, nanoseconds: 100_000_000))
    }
}
