import Testing

@testable import GenesysLoop

/// Order, copies and the echo, on the value alone.
@Suite struct OverlapTests {
    /// An overlap of the first link with the second one.
    private func overlap(held byteCount: Int = 0) -> Overlap {
        var overlap = Overlap()
        overlap.begin(with: .second)
        if byteCount > 0 { #expect(overlap.hold(byteCount, limit: 1_000) == true) }
        return overlap
    }

    /// The second link failed while the old one had a backlog.
    private func deferred() -> Overlap {
        var overlap = overlap(held: 100)
        overlap.leaveBehind(.second, now: .at(0))
        return overlap
    }

    /// The first link delivered one message; then one socket was left.
    private func echo(at second: Double = 0) -> Overlap {
        var overlap = overlap()
        #expect(overlap.admit(7, from: .first, keeping: .first) == true)
        overlap.onlyOneLeft(now: .at(second))
        return overlap
    }

    // MARK: - Order

    @Test func `messages are held up to the limit, and none after it, however small`() {
        var overlap = overlap()
        #expect(overlap.hold(60, limit: 100) == true)
        #expect(overlap.hold(40, limit: 100) == true)
        #expect(overlap.hold(1, limit: 100) == false)
        #expect(overlap.hold(0, limit: 100) == false)
    }

    @Test func `what is held is taken once`() {
        var overlap = overlap(held: 100)
        #expect(overlap.takeHeld() == true)
        #expect(overlap.takeHeld() == false)
        var empty = self.overlap()
        #expect(empty.takeHeld() == false)
    }

    @Test func `the limit of each overlap counts its own messages`() {
        var overlap = overlap()
        #expect(overlap.hold(100, limit: 100) == true)
        overlap.begin(with: .third)
        #expect(overlap.heldByteCount == 0)
        #expect(overlap.hold(100, limit: 100) == true)
    }

    @Test func `what is held for a failed successor still counts in the next overlap`() {
        var overlap = deferred()
        overlap.begin(with: .third)
        #expect(overlap.heldByteCount == 100)
        #expect(overlap.isDeferred(.second))
        #expect(!overlap.isDeferred(.third))
    }

    @Test func `failed successors are released in the order in which they failed, and once`() {
        var overlap = deferred()
        overlap.leaveBehind(.third, now: .at(1))
        #expect(overlap.takeDeferred() == [.second, .third])
        #expect(overlap.takeDeferred() == [])
        #expect(overlap.releaseDeadline == nil)
        #expect(!overlap.isDeferred(.second))
    }

    @Test func `without a failed successor nothing waits for the old socket`() {
        var overlap = overlap(held: 100)
        overlap.oldLinkRead(isDrained: true, now: .at(1))
        overlap.resumed(after: Pause(from: .at(1), to: .at(2)))
        #expect(overlap.releaseDeadline == nil)
        #expect(overlap.releaseDeadlineReached(now: .at(3)) == false)
    }

    @Test func `a read that empties the old socket ends its backlog at the next look`() {
        var overlap = deferred()
        overlap.oldLinkRead(isDrained: true, now: .at(1))
        #expect(overlap.releaseDeadline == .at(1))
        #expect(overlap.releaseDeadlineReached(now: .at(1)) == true)
    }

    @Test func `two looks without a read in between end the backlog`() {
        var overlap = deferred()
        #expect(overlap.releaseDeadlineReached(now: .at(1)) == false)
        #expect(overlap.releaseDeadline == .at(1))
        #expect(overlap.releaseDeadlineReached(now: .at(1)) == true)
    }

    @Test func `a read that leaves something unread starts the looks again`() {
        var overlap = deferred()
        for second in 1...5 {
            #expect(overlap.releaseDeadlineReached(now: .at(Double(second))) == false)
            overlap.oldLinkRead(isDrained: false, now: .at(Double(second)))
        }
        #expect(overlap.releaseDeadlineReached(now: .at(6)) == false)
        #expect(overlap.releaseDeadlineReached(now: .at(6)) == true)
    }

    @Test func `a look before its time sees nothing`() {
        var overlap = deferred()
        overlap.oldLinkRead(isDrained: true, now: .at(2))
        #expect(overlap.releaseDeadlineReached(now: .at(1)) == false)
    }

    @Test func `after a pause the old socket may have more to read`() {
        var overlap = deferred()
        #expect(overlap.releaseDeadlineReached(now: .at(1)) == false)
        overlap.resumed(after: Pause(from: .at(1), to: .at(9)))
        #expect(overlap.releaseDeadline == .at(9))
        #expect(overlap.releaseDeadlineReached(now: .at(9)) == false)
        #expect(overlap.releaseDeadlineReached(now: .at(9)) == true)
    }

    // MARK: - Copies

    @Test func `outside an overlap every message is delivered`() {
        var overlap = Overlap()
        for _ in 0..<3 { #expect(overlap.admit(7, from: .first, keeping: .first) == true) }
        #expect(overlap.deduplicator.rememberedCount == 0)
    }

    @Test func `a message on both sockets is delivered once, and a repeat on one of them twice`() {
        var overlap = overlap()
        #expect(overlap.admit(7, from: .first, keeping: .first) == true)
        #expect(overlap.admit(7, from: .first, keeping: .first) == true)
        #expect(overlap.admit(7, from: .second, keeping: .first) == false)
        #expect(overlap.admit(7, from: .second, keeping: .first) == false)
        #expect(overlap.admit(7, from: .second, keeping: .first) == true)
        #expect(overlap.deduplicator.mergedCount == 2)
    }

    // MARK: - Echo

    @Test func `an overlap that delivered nothing and holds nothing has no echo`() {
        var overlap = overlap()
        overlap.onlyOneLeft(now: .at(0))
        #expect(overlap.echoDeadline == nil)
        #expect(!overlap.deduplicator.isActive)
    }

    @Test func `without an overlap there is no echo`() {
        var overlap = Overlap()
        overlap.onlyOneLeft(now: .at(0))
        #expect(overlap.echoDeadline == nil)
    }

    @Test func `what was delivered, is held, or waits for the old socket may come again for five seconds`() {
        var held = overlap(held: 100)
        held.onlyOneLeft(now: .at(2))
        #expect(held.echoDeadline == .at(7))
        var waiting = overlap()
        waiting.leaveBehind(.second, now: .at(0))
        waiting.onlyOneLeft(now: .at(2))
        #expect(waiting.echoDeadline == .at(7))
        #expect(echo(at: 2).echoDeadline == .at(7))
        #expect(echo(at: 2).deduplicator.isActive)
    }

    @Test func `a copy in the echo is not delivered`() {
        var overlap = echo()
        #expect(overlap.admit(7, from: .second, keeping: .second) == false)
    }

    @Test func `the answer of the socket that is left ends the echo`() {
        var overlap = echo()
        overlap.echoAnswered()
        #expect(overlap.echoDeadline == nil)
        #expect(overlap.admit(7, from: .second, keeping: .second) == true)
    }

    @Test func `an answer outside an echo does not end an overlap`() {
        var overlap = overlap()
        overlap.echoAnswered()
        #expect(overlap.deduplicator.isActive)
    }

    @Test func `an answer does not end the echo while held messages wait, which may repeat what came before it`() {
        var overlap = deferred()
        overlap.onlyOneLeft(now: .at(0))
        overlap.echoAnswered()
        #expect(overlap.echoDeadline == .at(5))
        overlap.echoDeadlineReached(arrivedUntil: .at(5), isProven: true, now: .at(5))
        #expect(overlap.echoDeadline == .at(10), "they still wait")
        #expect(overlap.takeDeferred() == [.second])
        overlap.echoDeadlineReached(arrivedUntil: .at(0), isProven: true, now: .at(10))
        #expect(overlap.echoDeadline == nil)
        #expect(!overlap.deduplicator.isActive)
    }

    @Test func `without an answer, a burst after the start ends the echo at its limit`() {
        var overlap = echo()
        overlap.echoDeadlineReached(arrivedUntil: .at(0), isProven: false, now: .at(4.999))
        #expect(overlap.echoDeadline == .at(5))
        overlap.echoDeadlineReached(arrivedUntil: .at(0), isProven: false, now: .at(5))
        #expect(overlap.echoDeadline == nil)
        #expect(!overlap.deduplicator.isActive)
    }

    @Test func `while the path stalls, the echo is extended by its limit again and again`() {
        var overlap = echo(at: 10)
        for second in [15.0, 20, 25] {
            overlap.echoDeadlineReached(arrivedUntil: .at(9), isProven: false, now: .at(second))
            #expect(overlap.echoDeadline == .at(second + 5))
            #expect(overlap.deduplicator.isActive)
        }
        overlap.echoDeadlineReached(arrivedUntil: .at(29), isProven: false, now: .at(30))
        #expect(overlap.echoDeadline == nil)
    }

    @Test func `the next overlap takes the place of an echo and remembers what was delivered`() {
        var overlap = echo()
        overlap.begin(with: .third)
        #expect(overlap.echoDeadline == nil)
        #expect(overlap.admit(7, from: .second, keeping: .second) == false)
        overlap.echoDeadlineReached(arrivedUntil: .at(9), isProven: true, now: .at(9))
        overlap.echoAnswered()
        #expect(overlap.deduplicator.isActive)
    }

    @Test func `a pause does not count against the limit of the echo`() {
        var overlap = echo()
        overlap.resumed(after: Pause(from: .at(2), to: .at(62)))
        #expect(overlap.echoDeadline == .at(65))
        overlap = echo(at: 10)
        overlap.resumed(after: Pause(from: .at(2), to: .at(12)))
        #expect(overlap.echoDeadline == .at(17), "only the part of the pause after its start")
    }

    // MARK: - The next rollover

    @Test func `the last target that was requested is queued, and taken once`() {
        var overlap = overlap()
        #expect(overlap.takeQueuedRollover() == nil)
        overlap.queueRollover(to: .other)
        overlap.queueRollover(to: .another)
        #expect(overlap.takeQueuedRollover() == .another)
        #expect(overlap.takeQueuedRollover() == nil)
    }
}
