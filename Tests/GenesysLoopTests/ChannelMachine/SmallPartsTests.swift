import Testing

@testable import GenesysLoop

@Suite struct SmallPartsTests {
    @Test func `the generator is the published one`() {
        var random = SplitMix64(seed: 0)
        #expect(random.next() == 0xE220_A839_7B1D_CDAF)
        #expect(random.next() == 0x6E78_9E6A_A1B9_65F4)
        #expect(random.next() == 0x06C4_5D18_8009_454F)
    }

    @Test func `correlation ids have 16 letters and digits and differ`() {
        var random = SplitMix64(seed: 5)
        let ids = (0..<1_000).map { _ in random.correlationID() }
        #expect(Set(ids).count == 1_000)
        #expect(ids.allSatisfy { $0.count == 16 && $0.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) } })
    }

    @Test func `messages that differ in one byte or in length have other fingerprints`() {
        var prints: Set<UInt64> = []
        for count in 0...40 { prints.insert(Fingerprint.of([UInt8](repeating: 0, count: count).span)) }
        #expect(prints.count == 41)
        for index in 0..<40 {
            var bytes = [UInt8](repeating: 0, count: 40)
            bytes[index] = 1
            prints.insert(Fingerprint.of(bytes.span))
        }
        #expect(prints.count == 81)
        #expect(Fingerprint.of(Array("abc".utf8).span) == Fingerprint.of(Array("abc".utf8).span))
    }

    @Test func `copies are told from repeats by the largest count of a socket`() {
        var copies = Deduplicator()
        #expect(copies.admit(1, from: .first, keeping: .first) == true)
        #expect(copies.admit(1, from: .first, keeping: .first) == true)
        copies.begin(with: .second)
        let old = (0..<3).map { _ in copies.admit(1, from: .first, keeping: .first) }
        let new = (0..<4).map { _ in copies.admit(1, from: .second, keeping: .first) }
        #expect(old == [true, true, true])
        #expect(new == [false, false, false, true])
        #expect(copies.mergedCount == 3)
        copies.end()
        #expect(copies.admit(1, from: .second, keeping: .second) == true)
    }

    @Test func `the current socket's count outlives any number of successors`() {
        var copies = Deduplicator()
        for id in 2...9 as ClosedRange<UInt32> {
            copies.begin(with: LinkID(rawValue: id))
            #expect(copies.admit(1, from: LinkID(rawValue: id), keeping: .first) == (id == 2))
        }
        #expect(copies.admit(1, from: .first, keeping: .first) == false)
        #expect(copies.admit(1, from: .first, keeping: .first) == true)
    }

    @Test func `beyond its capacity the oldest fingerprint is forgotten`() {
        var copies = Deduplicator(capacity: 10)
        copies.begin(with: .second)
        for fingerprint in 0..<1_000 as Range<UInt64> {
            #expect(copies.admit(fingerprint, from: .first, keeping: .first) == true)
        }
        #expect(copies.admit(995, from: .second, keeping: .first) == false)
        #expect(copies.admit(3, from: .second, keeping: .first) == true)
    }

    @Test func `a pause moves a deadline by the part that fell into it`() {
        let at = { (seconds: Int64) in Instant(nanoseconds: seconds * 1_000_000_000) }
        let pause = Pause(from: at(100), to: at(160))
        #expect(pause.postponed(at(105), limit: .seconds(10)) == at(165))
        #expect(pause.postponed(at(150), limit: .seconds(10)) == at(170))
        #expect(pause.postponed(at(175), limit: .seconds(10)) == at(175))
        #expect(pause.length(after: at(200)) == .zero)
    }

    @Test func `a failure's retryability is that of its cause`() {
        #expect(ChannelFailure(reason: .invalidStatusCode, phase: .upgrade, status: 503).isRetryable)
        #expect(!ChannelFailure(reason: .invalidStatusCode, phase: .upgrade, status: 302).isRetryable)
        #expect(!ChannelFailure(reason: .invalidStatusCode, phase: .upgrade).isRetryable)
        #expect(ChannelFailure(reason: .dns, phase: .dns).isRetryable)
        #expect(!ChannelFailure(reason: .dns, phase: .dns, isRetryable: false).isRetryable)
        #expect(!ChannelFailure(reason: .tlsSelfSigned, phase: .tls).isRetryable)
    }
}
