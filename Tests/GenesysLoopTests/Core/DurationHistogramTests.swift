import Testing

@testable import GenesysLoop

@Suite struct DurationHistogramTests {
    @Test func `an observation is counted in the first range that reaches it`() {
        var histogram = DurationHistogram()
        #expect(histogram.count == 0 && histogram[0] == 0 && histogram.sum == .zero)
        histogram.record(.milliseconds(1))
        histogram.record(.microseconds(1_001))
        histogram.record(.seconds(10))
        histogram.record(.seconds(11))
        histogram.record(.seconds(-1))
        let last = DurationHistogram.bounds.count
        #expect(histogram[0] == 2 && histogram[1] == 1 && histogram[last - 1] == 1 && histogram[last] == 1)
        #expect(histogram.count == 5)
        #expect(histogram.sum == .seconds(21) + .microseconds(2_001))
    }

    @Test func `the bounds ascend`() {
        #expect(zip(DurationHistogram.bounds, DurationHistogram.bounds.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func `it prints as count and mean`() {
        var histogram = DurationHistogram()
        #expect("\(histogram)" == "none")
        histogram.record(.milliseconds(20))
        histogram.record(.milliseconds(40))
        #expect("\(histogram)" == "2 with a mean of 0.03 s")
    }
}
