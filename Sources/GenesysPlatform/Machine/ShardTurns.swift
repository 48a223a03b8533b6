package import GenesysLoop

/// When the channels of a group are made: the order and the pace.
///
/// A channel of a group waits with the first call of its way to a channel of the service until it has its turn.
///
///     channel lost, or none yet ──▶ the first in the queue ─────────────────────▶ turn, one a second
///     token ends, life ends     ──▶ behind those, one move at a time, staggered ─▶ turn
///
/// Moves need a place of the service's 20 beside those of the group, so only one is under way at a time. Those to a new
/// token are spread over the time until the old one ends.
///
/// Source: platform sheet §5.
package struct ShardTurns: Equatable, Sendable {
    /// What a channel waits for.
    package struct Wait: Equatable, Sendable {
        /// The call that it waits with.
        package var call: CallID
        /// Its turn comes then at the latest.
        package var limit: Instant?
        package var isMove: Bool
        /// When the channel that it moves away from ends; nil if that is not near.
        package var end: Instant?

        package init(call: CallID, limit: Instant? = nil, isMove: Bool, end: Instant? = nil) {
            self.call = call
            self.limit = limit
            self.isMove = isMove
            self.end = end
        }
    }

    /// The least time between two turns.
    static let pace: Duration = .seconds(1)

    /// The least time between two moves. The service sees the end of the old connection a moment later; until then
    /// all 20 channels have a connection, and another one removes one of them.
    static let rest: ClosedRange<Duration> = .milliseconds(100)...(.seconds(1))

    private struct Entry: Equatable, Sendable {
        let shard: Int
        var wait: Wait
    }

    /// In the order in which they began to wait.
    private var queue: [Entry] = []
    private var lastTurn: Instant?
    private var lastMove: Instant?
    /// When the last move ended.
    private var lastEnd: Instant?
    /// The shard that moves.
    package private(set) var moving: Int?

    package init() {}

    /// What a channel waits for; nil if it does not.
    package mutating func changed(_ shard: Int, _ wait: Wait?, isMoving: Bool, now: Instant) {
        if isMoving, moving == nil {
            moving = shard
        } else if !isMoving, moving == shard {
            moving = nil
            lastEnd = now
        }
        let index = queue.firstIndex { $0.shard == shard }
        switch (index, wait) {
        case (let index?, let wait?) where queue[index].wait.call == wait.call: queue[index].wait = wait
        case (let index?, let wait?):
            queue.remove(at: index)
            queue.append(Entry(shard: shard, wait: wait))
        case (let index?, nil): queue.remove(at: index)
        case (nil, let wait?): queue.append(Entry(shard: shard, wait: wait))
        case (nil, nil): break
        }
    }

    /// When the next turn is; nil if no channel waits, or only for the move that is under way.
    package var due: Instant? { next.map(\.time) }

    /// Takes the turn that is due.
    package mutating func take(now: Instant) -> (shard: Int, wait: Wait)? {
        guard let next, next.time <= now else { return nil }
        let entry = queue.remove(at: next.index)
        lastTurn = now
        if entry.wait.isMove {
            lastMove = now
            moving = entry.shard
        }
        return (entry.shard, entry.wait)
    }

    // MARK: - Parts

    private var next: (index: Int, time: Instant)? {
        let start = Instant(nanoseconds: .min)
        let turn = lastTurn.map { $0 + ShardTurns.pace } ?? start
        let limited = queue.indices.compactMap { index in queue[index].wait.limit.map { (index, min($0, turn)) } }
            .filter { !queue[$0.0].wait.isMove }.min { $0.1 < $1.1 }
        if let limited, limited.1 < turn { return limited }
        if let index = queue.firstIndex(where: { !$0.wait.isMove }) { return (index, turn) }
        guard moving == nil, let index = queue.firstIndex(where: { $0.wait.isMove }) else { return nil }
        let interval = moveInterval
        let paced = lastTurn.map { $0 + min(ShardTurns.pace, interval) } ?? start
        let spread = lastMove.map { $0 + interval } ?? start
        let rest = min(max(interval / 8, ShardTurns.rest.lowerBound), ShardTurns.rest.upperBound)
        return (index, max(paced, spread, lastEnd.map { $0 + rest } ?? start))
    }

    /// The time between two moves: the present channels end at `end`, and all are left before.
    private var moveInterval: Duration {
        guard let lastMove, let end = queue.compactMap(\.wait.end).min() else { return ShardTurns.pace }
        let count = queue.count { $0.wait.isMove }
        return max(.zero, end - lastMove) * 4 / (5 * (count + 1))
    }
}
