import GenesysLoop
import Testing

@testable import GenesysPlatform

/// When the channels of a group are made.
@Suite struct ShardTurnsTests {
    private static func second(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    private static func wait(
        _ call: UInt64, limit: Double? = nil, isMove: Bool = false, end: Double? = nil
    ) -> ShardTurns.Wait {
        ShardTurns.Wait(
            call: CallID(rawValue: call), limit: limit.map(second), isMove: isMove, end: end.map(second))
    }

    /// Gives the turns until `end`; a move takes `length`.
    private static func run(_ turns: inout ShardTurns, until end: Double, length: Double = 0.3) -> [String] {
        var words: [String] = []
        var ends: (shard: Int, time: Instant)?
        var now = second(0)
        while true {
            let next = [turns.due, ends?.time].compactMap { $0 }.min()
            guard let next, next <= second(end) else { return words }
            now = max(now, next)
            if let over = ends, over.time <= now {
                ends = nil
                turns.changed(over.shard, nil, isMoving: false, now: now)
            }
            guard let (shard, wait) = turns.take(now: now) else { continue }
            let tenths = (now - second(0)) / .milliseconds(100)
            words.append("\(shard)\(wait.isMove ? "m" : "") \((tenths).rounded() / 10)")
            if wait.isMove {
                ends = (shard, now + .nanoseconds(Int64(length * 1e9)))
                turns.changed(shard, nil, isMoving: true, now: now)
            }
        }
    }

    @Test func `first channels are made one a second, in the order in which they wait`() {
        var turns = ShardTurns()
        for shard in [2, 0, 1] {
            turns.changed(shard, ShardTurnsTests.wait(UInt64(shard)), isMoving: false, now: ShardTurnsTests.second(0))
        }
        #expect(ShardTurnsTests.run(&turns, until: 10) == ["2 0.0", "0 1.0", "1 2.0"])
        #expect(turns.due == nil)
    }

    @Test func `a channel that waits no longer has no turn, and another call waits anew`() {
        var turns = ShardTurns()
        for shard in 0..<3 {
            turns.changed(shard, ShardTurnsTests.wait(UInt64(shard)), isMoving: false, now: ShardTurnsTests.second(0))
        }
        turns.changed(1, nil, isMoving: false, now: ShardTurnsTests.second(0))
        turns.changed(0, ShardTurnsTests.wait(9), isMoving: false, now: ShardTurnsTests.second(0))
        turns.changed(2, ShardTurnsTests.wait(2, limit: 5), isMoving: false, now: ShardTurnsTests.second(0))
        #expect(ShardTurnsTests.run(&turns, until: 10) == ["2 0.0", "0 1.0"])
    }

    @Test func `at its limit a channel has its turn whatever the pace`() {
        var turns = ShardTurns()
        turns.changed(0, ShardTurnsTests.wait(0), isMoving: false, now: ShardTurnsTests.second(0))
        turns.changed(1, ShardTurnsTests.wait(1), isMoving: false, now: ShardTurnsTests.second(0))
        turns.changed(2, ShardTurnsTests.wait(2, limit: 0.5), isMoving: false, now: ShardTurnsTests.second(0))
        #expect(ShardTurnsTests.run(&turns, until: 10) == ["0 0.0", "2 0.5", "1 1.5"])
    }

    @Test func `moves are one at a time, and a lost channel is made before them`() {
        var turns = ShardTurns()
        for shard in 0..<3 {
            turns.changed(
                shard, ShardTurnsTests.wait(UInt64(shard), isMove: true), isMoving: false,
                now: ShardTurnsTests.second(0))
        }
        turns.changed(3, ShardTurnsTests.wait(3), isMoving: false, now: ShardTurnsTests.second(0))
        #expect(ShardTurnsTests.run(&turns, until: 20, length: 3) == ["3 0.0", "0m 1.0", "1m 4.1", "2m 7.3"])
    }

    @Test func `moves to a new token are spread over the time until the old one ends`() {
        var turns = ShardTurns()
        for shard in 0..<4 {
            turns.changed(
                shard, ShardTurnsTests.wait(UInt64(shard), isMove: true, end: 100), isMoving: false,
                now: ShardTurnsTests.second(0))
        }
        #expect(ShardTurnsTests.run(&turns, until: 200) == ["0m 0.0", "1m 20.0", "2m 41.3", "3m 64.8"])
    }

    @Test func `if there is little time, moves are closer than the pace`() {
        var turns = ShardTurns()
        for shard in 0..<4 {
            turns.changed(
                shard, ShardTurnsTests.wait(UInt64(shard), isMove: true, end: 2), isMoving: false,
                now: ShardTurnsTests.second(0))
        }
        let words = ShardTurnsTests.run(&turns, until: 10, length: 0.1)
        #expect(words == ["0m 0.0", "1m 0.4", "2m 0.8", "3m 1.3"])
    }

    @Test func `a token that has ended does not hold the moves up`() {
        var turns = ShardTurns()
        for shard in 0..<3 {
            turns.changed(
                shard, ShardTurnsTests.wait(UInt64(shard), isMove: true, end: -1), isMoving: false,
                now: ShardTurnsTests.second(0))
        }
        #expect(ShardTurnsTests.run(&turns, until: 10, length: 0.1) == ["0m 0.0", "1m 0.2", "2m 0.4"])
    }

    @Test func `a move whose channel is lost gives its place up`() {
        var turns = ShardTurns()
        turns.changed(0, ShardTurnsTests.wait(0, isMove: true), isMoving: false, now: ShardTurnsTests.second(0))
        turns.changed(1, ShardTurnsTests.wait(1, isMove: true), isMoving: false, now: ShardTurnsTests.second(0))
        #expect(turns.take(now: ShardTurnsTests.second(0))?.shard == 0)
        turns.changed(0, nil, isMoving: true, now: ShardTurnsTests.second(0))
        #expect(turns.due == nil && turns.moving == 0)
        turns.changed(0, ShardTurnsTests.wait(2), isMoving: false, now: ShardTurnsTests.second(0))
        #expect(turns.moving == nil)
        #expect(turns.take(now: ShardTurnsTests.second(1))?.shard == 0)
        #expect(turns.take(now: ShardTurnsTests.second(2))?.shard == 1)
    }
}
