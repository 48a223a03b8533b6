import Foundation
import GenesysLoop
import Testing

@Suite struct WallTimeTests {
    @Test(arguments: [
        (0, 0, "1970-01-01T00:00:00.000Z"), (951_782_399, 999_999_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400, 7_000_000, "2000-02-29T00:00:00.007Z"), (1_785_488_703, 1_000_000, "2026-07-31T09:05:03.001Z"),
        (4_107_542_400, 0, "2100-03-01T00:00:00.000Z"), (-1, 500_000_000, "1969-12-31T23:59:59.500Z"),
        (-62_198_755_200, 0, "-0001-01-01T00:00:00.000Z"), (253_402_300_800, 0, "10000-01-01T00:00:00.000Z"),
    ])
    func `a time prints as ISO 8601 in UTC with milliseconds`(seconds: Int, nanoseconds: Int, text: String) {
        #expect("\(WallTime(seconds: Int64(seconds), nanoseconds: Int32(nanoseconds)))" == text)
    }

    @Test func `every day of four centuries agrees with Foundation, and so does the date`() {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        for day in stride(from: Int64(-10_000), to: 150_000, by: 7) {
            let date = Date(timeIntervalSince1970: Double(day * 86_400))
            let time = WallTime(seconds: day * 86_400)
            #expect("\(time)" == date.formatted(style))
            #expect(time.date == date)
        }
        #expect(WallTime(seconds: 1, nanoseconds: 250_000_000).date == Date(timeIntervalSince1970: 1.25))
    }

    @Test func `the difference of two times is a duration, which does not overflow`() {
        let early = WallTime(seconds: 5, nanoseconds: 900_000_000)
        let late = WallTime(seconds: 7, nanoseconds: 100_000_000)
        #expect(late - early == .milliseconds(1_200))
        #expect(early - late == .milliseconds(-1_200))
        #expect(early + (late - early) == late)
        #expect(WallTime(seconds: .max) - WallTime(seconds: -1) == .seconds(Int64.max))
        #expect(WallTime(seconds: .min) - WallTime(seconds: 1) == .seconds(Int64.min))
    }

    @Test(arguments: [
        (Duration.zero, "0"), (.milliseconds(350), "0.35"), (.milliseconds(1_005), "1.005"), (.seconds(90), "90"),
        (.microseconds(999), "0"), (.seconds(-1), "0"),
    ])
    func `seconds have at most three decimals`(duration: Duration, text: String) {
        #expect(duration.secondsText == text)
    }
}
