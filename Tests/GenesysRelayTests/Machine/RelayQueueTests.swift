import GenesysLoop
import Testing

@testable import GenesysRelay

@Suite struct RelayQueueTests {
    @Test func `a ring gives back what was put in, at both ends and at each place`() {
        var random = SplitMix64(seed: 1)
        var ring = Ring<Int>()
        var model: [Int] = []
        for number in 0..<5_000 {
            switch random.next() % 4 {
            case 0, 1:
                ring.append(number)
                model.append(number)
            case 2:
                ring.prepend(number)
                model.insert(number, at: 0)
            default:
                #expect(ring.popFirst() == (model.isEmpty ? nil : model.removeFirst()))
            }
            #expect(ring.count == model.count && ring.first == model.first)
            if let place = model.indices.randomElement(using: &random) { #expect(ring[place] == model[place]) }
        }
    }

    @Test func `the bytes of each notification stay until it is released, in any order`() {
        var random = SplitMix64(seed: 2)
        var store = ByteStore()
        var places: [(ByteStore.Place, [UInt8])] = []
        for number in 0..<3_000 {
            let data = [UInt8](repeating: UInt8(number & 0xFF), count: Int(random.next() % 20) == 0 ? 90_000 : 300)
            let topic = Array("t\(number)".utf8)
            let none: [UInt8] = []
            places.append((store.add(topic: topic.span, correlation: none.span, data: data.span), topic + data))
            guard places.count > 40 else { continue }
            let (place, bytes) = places.remove(at: Int(random.next() % 40))
            var found: [UInt8] = []
            store.append(place, 0..<place.byteCount, to: &found)
            #expect(found == bytes)
            store.release(place)
        }
    }

    /// Sizes of notifications, one after the other, that leave as much unused as possible.
    private static let sizes: [[Int]] = [
        [0], [10], [400], [1, 4_095], [1, 2_048], [2_049], [1, 1 << 20], [4_097, 20], [1, 65_500],
        [300, 20, 90_000, 5, 5, 40_000],
    ]

    @Test(arguments: sizes)
    func `a full queue takes no more than twice its limit, whatever the notifications are`(_ sizes: [Int]) {
        let limit = 6 << 20
        var stage = RelayStage.leading {
            $0.queueBytes = limit
            $0.overflow = .dropOldest
        }
        let data = [UInt8](repeating: 0x20, count: sizes.max() ?? 0)
        let none: [UInt8] = []
        var most = 0
        var given = 0
        // The engine takes nothing more, while four times the limit arrives.
        var place = 0
        while given < 4 * limit {
            let size = sizes[place % sizes.count]
            place += 1
            given += size + QueuedRecord.overhead
            _ = stage.machine.received(
                topic: none.span, correlation: none.span, data: data.span.extracting(0..<size), now: stage.now)
            _ = stage.machine.takeActions()
            if place % 16 == 0 || size > 60_000 { most = max(most, stage.machine.queue.allocatedSize) }
        }
        #expect(stage.machine.queueSize <= limit)
        // Beside it 8 MiB are allowed, for all of the relay.
        #expect(most <= 2 * limit + (4 << 20), "\(Double(most) / Double(limit))")
        stage.reopen(RecordID(epoch: stage.epoch, sequence: 1))
        while let range = stage.actions.compactMap({ if case .append(let range) = $0 { range } else { nil } }).last {
            stage.actions = []
            stage.store(range.first.sequence + UInt64(range.count) - 1 + 1_000_000)
        }
        #expect(stage.machine.queueSize == 0)
        #expect(stage.machine.queue.allocatedSize < 400_000, "and gives it back")
    }

    @Test(arguments: [(1_700_000_000, 1_699_996_400), (1_900_000_000, 0), (7, 0), (.max, 0)] as [(UInt64, Int64)])
    func `records of an earlier writer were not received before their epoch began`(epoch: UInt64, start: Int64) {
        var history = StoredHistory()
        let last = RecordID(epoch: epoch, sequence: 9)
        history.found(last, before: WallTime(seconds: 1_800_000_000))
        let losses = history.rollBack(to: nil)
        #expect(losses.map(\.start) == [WallTime(seconds: start)])
        #expect(losses.map(\.records) == [RelayGap.LostRecords(epoch: epoch, sequences: 1...9)])
    }

    @Test func `what the engine had is named by epoch, with the earliest start of what is gone`() {
        var history = StoredHistory()
        let start = WallTime(seconds: 1_000)
        for sequence in 1...600 {
            history.stored(RecordID(epoch: 1, sequence: UInt64(sequence)), start: start + .seconds(10 * sequence))
        }
        history.stored(RecordID(epoch: 2, sequence: 1), start: start + .seconds(7_000))
        history.stored(RecordID(epoch: 2, sequence: 2), start: start + .seconds(3_000))
        var losses = history.rollBack(to: RecordID(epoch: 1, sequence: 590))
        #expect(losses.map(\.records) == [.init(epoch: 1, sequences: 591...600), .init(epoch: 2, sequences: 1...2)])
        #expect(losses.map(\.start) == [start + .seconds(3_000), start + .seconds(3_000)])
        #expect(history.rollBack(to: RecordID(epoch: 1, sequence: 590)).isEmpty)
        losses = history.rollBack(to: nil)
        #expect(losses.map(\.records) == [.init(epoch: 1, sequences: 1...590)])
        #expect(losses.map(\.start) == [start + .seconds(10)])
    }
}
