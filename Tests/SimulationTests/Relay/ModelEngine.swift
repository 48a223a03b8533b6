import GenesysLoop

@testable import GenesysRelay

/// An engine that stores a stream as the append script does: it checks epoch, owner and sequence, skips what it has,
/// refuses holes and older writers, and moves the head.
struct ModelEngine {
    struct Entry: Equatable {
        let id: RecordID
        let owner: String
        let type: String
        let data: String
        let skippedCount: UInt64
        /// What the head says when this is the last entry.
        var coveredUntil: WallTime?

        static func == (left: Entry, right: Entry) -> Bool {
            (left.id, left.owner, left.type, left.data, left.skippedCount)
                == (right.id, right.owner, right.type, right.data, right.skippedCount)
        }
    }

    enum Reply: Equatable {
        case stored(RecordID)
        case busy(UInt64)
        case permanent(UInt64)
        case hole(UInt64, wanted: UInt64)
        case fenced
    }

    private(set) var entries: [Entry] = []
    private(set) var coveredUntil: WallTime?
    private(set) var isReleased = false
    /// What is wrong with what arrived.
    private(set) var violation: String?
    /// Everything that was ever stored under an id.
    private var history: [RecordID: Entry] = [:]
    /// The numbers that were lost, by epoch, those included that a gap record named.
    private(set) var lost: [UInt64: ClosedRange<UInt64>] = [:]
    private(set) var lease: LeaseRecord?
    /// Each lease that there was, and how many entries there were at that time.
    private var leases: [(entryCount: Int, record: LeaseRecord)] = []
    var isFull = false
    let sizeLimit: Int

    init(sizeLimit: Int) { self.sizeLimit = sizeLimit }

    var head: StreamHead? {
        entries.last.map {
            StreamHead(last: $0.id, owner: $0.owner, coveredUntil: coveredUntil, isReleased: isReleased)
        }
    }

    mutating func append(_ batch: RelayBatch) -> Reply {
        guard let first = batch.records.first else { return .fenced }
        if let last = entries.last {
            if last.id.epoch > batch.first.epoch { return .fenced }
            if last.id.epoch == batch.first.epoch, last.owner != batch.owner { return .fenced }
        }
        if isFull { return .busy(first.sequence) }
        for record in batch.records {
            let id = RecordID(epoch: batch.first.epoch, sequence: record.sequence)
            let entry = Entry(
                id: id, owner: batch.owner, type: batch.text(of: .type, in: record) ?? "",
                data: batch.text(of: .data, in: record) ?? "", skippedCount: record.skippedCount,
                coveredUntil: batch.coveredUntil)
            check(entry, batch, record)
            let stored = entries.last?.id.epoch == id.epoch ? entries.last?.id.sequence ?? 0 : 0
            if id.sequence <= stored {
                if history[id] != entry { fail("\(id) is skipped, and another record has this id") }
                continue
            }
            guard id.sequence == stored + 1 + record.skippedCount else {
                return .hole(id.sequence, wanted: stored + 1)
            }
            if entry.data.utf8.count > sizeLimit { return .permanent(id.sequence) }
            // After a rollback another writer may begin an epoch of the same number.
            if let earlier = history[id], earlier.owner == entry.owner, earlier != entry {
                fail("\(id) was another record before")
            }
            history[id] = entry
            entries.append(entry)
            coveredUntil = batch.coveredUntil
            isReleased = false
        }
        return .stored(entries.last?.id ?? batch.last)
    }

    private mutating func check(_ entry: Entry, _ batch: RelayBatch, _ record: RelayBatch.Record) {
        if batch.text(of: .id, in: record) != entry.id.description {
            fail("the id of \(entry.id) is written otherwise")
        }
        if (entry.type == "genesys.epoch") != (entry.id.sequence == 1) { fail("\(entry.id) is \(entry.type)") }
        if entry.id.sequence == 1, batch.records.count > 1 { fail("an epoch record with others behind it") }
        if record.skippedCount > 0, entry.type != "genesys.gap" { fail("a jump before \(entry.type) \(entry.id)") }
    }

    mutating func closed(owner: String, coveredUntil: WallTime?, isReleased: Bool) {
        guard entries.last?.owner == owner else { return }
        self.coveredUntil = coveredUntil ?? self.coveredUntil
        self.isReleased = isReleased
    }

    /// Replaces the lease if its revision is `revision`.
    mutating func replaceLease(revision: UInt64?, with record: LeaseRecord) -> Bool {
        guard lease?.revision == revision else { return false }
        lease = record
        leases.append((entries.count, record))
        return true
    }

    mutating func forgetLease() { lease = nil }

    /// Forgets the last `count` entries, with them what the head said, and the leases of that time.
    mutating func rollBack(_ count: Int) {
        for entry in entries.suffix(count) {
            let numbers = entry.id.sequence - entry.skippedCount...entry.id.sequence
            let known = lost[entry.id.epoch] ?? numbers
            lost[entry.id.epoch] =
                min(known.lowerBound, numbers.lowerBound)...max(known.upperBound, numbers.upperBound)
        }
        entries.removeLast(min(count, entries.count))
        coveredUntil = entries.last?.coveredUntil
        isReleased = false
        leases.removeAll { $0.entryCount > entries.count }
        lease = leases.last?.record
    }

    private mutating func fail(_ text: String) { violation = violation ?? text }
}
