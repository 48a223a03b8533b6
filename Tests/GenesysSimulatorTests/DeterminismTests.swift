import GenesysLoop
import GenesysSimulator
import Testing

@testable import struct GenesysSimulator.DeadlineQueue

@Suite struct DeterminismTests {
    /// An eventful hour: many channels, second sockets, maintenance, evictions.
    private func transcript(seed: UInt64) throws -> [String] {
        var stage = try Stage(seed: seed) {
            $0.timeScale = 10
            $0.publishing.rate = 7
            $0.publishing.shufflesTopics = true
            $0.publishing.repeatFraction = 0.1
        }
        var lines: [String] = [stage.channel.id]
        for round in 0..<30 {
            let channel = try stage.service.channelCreated(now: stage.now)
            lines.append(channel.id)
            let socket = try stage.open(channel)
            lines += stage.subscribe((0..<5).map { "v2.users.\(round * 3 + $0)?presence&station" }, on: socket)
            lines += stage.pass(.milliseconds(700))
            if round % 3 == 0 { _ = try stage.open(channel) }
            if round % 7 == 0 { lines += stage.service.announceMaintenance(.all, now: stage.now).map(line) }
            lines += stage.pass(.seconds(3))
        }
        return lines
    }

    @Test func `equal seeds give equal transcripts, other seeds others`() throws {
        let first = try transcript(seed: 42)
        #expect(first.count > 500)
        #expect(try transcript(seed: 42) == first)
        #expect(try transcript(seed: 43) != first)
    }

    @Test func `a copy of the service goes on like the original`() throws {
        var stage = try Stage { $0.publishing.rate = 10 }
        let socket = try stage.open()
        _ = stage.subscribe([presence], on: socket)
        var copy = stage
        #expect(stage.pass(.seconds(45)) == copy.pass(.seconds(45)))
    }

    @Test func `calling before the deadline does nothing`() throws {
        var stage = try Stage()
        _ = try stage.open()
        let deadline = try #require(stage.service.nextDeadline)
        #expect(stage.service.deadlineReached(now: deadline - .nanoseconds(1)) == [])
        #expect(stage.service.nextDeadline == deadline)
        #expect(stage.service.deadlineReached(now: deadline).count == 1)
    }

    @Test func `deadlines are met by time, then first come first served`() {
        var generator = SeededGenerator(seed: 9)
        var queue = DeadlineQueue<Int>()
        let times = (0..<500).map { _ in Duration.seconds(Int.random(in: 0..<40, using: &generator)) }
        for (index, time) in times.enumerated() { queue.add(index, at: time) }
        var met: [Int] = []
        while queue.nextDue != nil { met.append(queue.removeFirst().event) }
        #expect(met == times.indices.sorted { (times[$0], $0) < (times[$1], $1) })
    }

    @Test func `an instant and the time since its origin convert without loss, rounding up`() {
        #expect(
            Instant(sinceOrigin: Instant(nanoseconds: 1_234_567_890_123).sinceOrigin).nanoseconds == 1_234_567_890_123)
        #expect(Instant(sinceOrigin: Duration(secondsComponent: 0, attosecondsComponent: 1)).nanoseconds == 1)
        #expect(Instant(sinceOrigin: .seconds(Int64.max)).nanoseconds == .max)
    }
}
