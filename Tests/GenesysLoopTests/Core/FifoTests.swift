import Testing

@testable import GenesysLoop

@Suite struct FifoTests {
    @Test func `elements come out in the order in which they went in, however appending and taking alternate`() {
        var random = SplitMix64(seed: 7)
        var fifo = Fifo<Int>()
        var expected: [Int] = []
        for number in 0..<2_000 {
            if random.next() % 3 < 2 {
                fifo.append(number)
                expected.append(number)
            } else {
                #expect(fifo.first == expected.first)
                #expect(fifo.popFirst() == (expected.isEmpty ? nil : expected.removeFirst()))
            }
            #expect(fifo.count == expected.count && fifo.isEmpty == expected.isEmpty)
        }
        #expect(fifo.elements == expected)
    }

    @Test func `queues with the same elements are equal, whatever was taken from them before`() {
        var one = Fifo<Int>()
        one.append(contentsOf: [0, 1, 2])
        _ = one.popFirst()
        one.append(3)
        var other = Fifo<Int>()
        other.append(contentsOf: [1, 2, 3])
        #expect(one == other)
        _ = other.popFirst()
        #expect(one != other)
    }

    @Test func `what was taken out is released at once, and an emptied queue can give its storage back`() {
        final class Probe {}
        var fifo = Fifo<Probe>()
        fifo.append(contentsOf: [Probe(), Probe()])
        weak let first = fifo.first
        #expect(first != nil)
        _ = fifo.popFirst()
        #expect(first == nil)
        #expect(fifo.capacity > 0)
        fifo.removeAll()
        #expect(fifo.capacity == 0 && fifo.isEmpty)
    }
}
