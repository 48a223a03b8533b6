import CAllocationCounter
import GenesysLoop
import GenesysRelay
import Testing

/// Counts the allocations of a record on its way through the relay's machine into a batch, and prints its time.
@Suite(.timeLimit(.minutes(2)), .enabled(if: allocation_counter_is_available(), "no allocations are counted here"))
struct RelayAllocationTests {
    /// Ten thousand a second of 400 bytes, as `settings.linger` makes batches of them.
    private struct Feed {
        var machine: RelayMachine
        var now = ClockReading(instant: Instant(nanoseconds: 0), wall: WallTime(seconds: 1_900_000_000))
        var batchCount = 0
        var encodedCount = 0
        private let topic = Array("v2.users.3f9a1c07-4d3c-4b1f-9f68-5b2f8f1f2a11.presence".utf8)
        private let correlation = Array("b1c7a9d2-6a0e-4f5e-8b3d-0c9f2e7d4a61".utf8)
        private let data = [UInt8](repeating: UInt8(ascii: " "), count: 400)

        init() {
            machine = RelayMachine(name: "count", owner: "me", seed: 1)
            _ = machine.openRequested(now: now)
            let opened = machine.sinkOpened(head: nil, now: now)
            perform(opened)
        }

        /// Batches are encoded and acknowledged at once.
        private mutating func perform(_ actions: [RelayMachine.Action]) {
            for action in actions {
                guard case .append(let range) = action else { continue }
                let batch = machine.batch(range)
                batchCount += 1
                encodedCount += batch.records.count
                let stored = machine.stored(through: batch.last, now: now)
                perform(stored)
            }
        }

        mutating func receive(_ count: Int) {
            // Borrowed for the loop; the machine is changed meanwhile.
            let (topic, correlation, data) = (topic, correlation, data)
            for _ in 0..<count {
                now = now + .microseconds(100)
                if machine.received(topic: topic.span, correlation: correlation.span, data: data.span, now: now) {
                    let actions = machine.takeActions()
                    perform(actions)
                }
                guard let deadline = machine.nextDeadline, deadline <= now.instant else { continue }
                let actions = machine.deadlineReached(now: now)
                perform(actions)
            }
        }
    }

    @Test func `a record allocates nothing, a batch of fifty at most ten times`() {
        var feed = Feed()
        feed.receive(20_000)
        let batches = feed.batchCount
        let encoded = feed.encodedCount
        let start = allocation_counter_value()
        let clock = ContinuousClock()
        let time = clock.measure { feed.receive(200_000) }
        let count = allocation_counter_value() - start
        let batchCount = feed.batchCount - batches
        print(
            "relay: \(time / 200_000) a record from its receipt into a batch,",
            "\(Double(count) / Double(batchCount)) allocations a batch of \(200_000 / batchCount)")
        #expect(feed.encodedCount - encoded >= 199_900)
        #expect(batchCount < 200_000 / 40)
        #expect(count <= UInt64(batchCount) * 10)
    }
}
