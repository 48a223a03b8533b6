import Testing

@testable import GenesysLoop

struct RandomWordsTests {
    @Test func `no word is handed out twice, over many fetches`() {
        var words = RandomWords()
        let some = (0..<1_000).map { _ in words.next() }
        // Two of a thousand are equal by chance once in eight thousand runs; three never.
        #expect(Set(some).count >= 999)
        // Every bit is set in some and not in others.
        #expect(some.reduce(0, |) == .max)
        #expect(some.reduce(.max, &) == 0)
    }
}
