import GenesysLoop

/// What an epoch record says about the epoch before it.
struct PreviousEpoch: Equatable, Sendable {
    let epoch: UInt64
    let coveredUntil: WallTime?
}

/// A record that the engine has not stored.
struct QueuedRecord: Equatable, Sendable {
    enum Content: Equatable, Sendable {
        case notification(ByteStore.Place)
        // Out of line, because they are rare: a record is 56 bytes.
        indirect case gap(RelayGap)
        indirect case epoch(previous: PreviousEpoch?)
        case alive(coveredUntil: WallTime)
    }

    /// What a record counts beside its bytes.
    static let overhead = 128

    /// The number in its epoch; 0 until it is sent.
    var sequence: UInt64 = 0
    /// How many numbers directly before it no record has.
    var skippedCount: UInt64 = 0
    let receivedAt: WallTime
    let content: Content

    var size: Int {
        if case .notification(let place) = content { return place.byteCount + QueuedRecord.overhead }
        return QueuedRecord.overhead
    }

    var skipped: ClosedRange<UInt64>? {
        skippedCount > 0 ? sequence - skippedCount...sequence - 1 : nil
    }

    var gap: RelayGap? { if case .gap(let gap) = content { gap } else { nil } }

    var isEpoch: Bool { if case .epoch = content { true } else { false } }

    /// The earliest instant that the stream does not cover without this record.
    var start: WallTime { if case .gap(let gap) = content { min(gap.from, receivedAt) } else { receivedAt } }

    /// The latest instant that it is about.
    var end: WallTime { if case .gap(let gap) = content { max(gap.to, receivedAt) } else { receivedAt } }
}

/// The records that the engine has not acknowledged, in order.
///
///     sent, its first `inFlightCount` in flight │ overflow │ waiting
///
/// A record has its place in the order, and so its number, from its receipt on. What stands before it changes only by a
/// drop, which leaves the numbers of what is dropped to the gap record behind them. The number is written down when the
/// record is sent, because from then on the engine may have stored it: what was sent is never dropped.
struct RelayQueue: Equatable, Sendable {
    /// Records that were dropped since the last one was sent.
    struct Dropped: Equatable, Sendable {
        var count: UInt64
        var from: WallTime
        var to: WallTime
    }

    /// Sent, in the order of their numbers.
    private(set) var sent = Ring<QueuedRecord>()
    /// How many of `sent` are under way on the present connection.
    private(set) var inFlightCount = 0
    private(set) var inFlightBytes = 0
    private(set) var dropped: Dropped?
    private(set) var waiting = Ring<QueuedRecord>()
    private(set) var waitingBytes = 0
    /// Bytes and overhead of all records.
    private(set) var size = 0
    /// The number of the last record that was sent.
    private(set) var lastSequence: UInt64 = 0
    private var store = ByteStore()
    private var gapCount = 0
    /// The earliest start of the gap records; kept until there is none.
    private var gapStart: WallTime?

    var count: Int { sent.count + waiting.count + (dropped == nil ? 0 : 1) }
    var isEmpty: Bool { count == 0 }

    /// The earliest instant that the stream does not cover without what is queued.
    var start: WallTime? {
        var earliest = sent.first?.receivedAt
        // The record of an epoch was made later than what is behind it.
        let place = sent.first?.isEpoch ?? false ? 1 : 0
        let next = place < sent.count ? sent[place] : dropped == nil ? waiting.first : nil
        if let receivedAt = next?.receivedAt { earliest = min(earliest ?? receivedAt, receivedAt) }
        if let from = dropped?.from { earliest = min(earliest ?? from, from) }
        if let gapStart { earliest = min(earliest ?? gapStart, gapStart) }
        return earliest
    }

    // MARK: - At the end

    mutating func append(
        topic: Span<UInt8>, correlation: Span<UInt8>, data: Span<UInt8>, receivedAt: WallTime
    ) {
        let place = store.add(topic: topic, correlation: correlation, data: data)
        append(QueuedRecord(receivedAt: receivedAt, content: .notification(place)))
    }

    mutating func append(_ record: QueuedRecord) {
        waiting.append(record)
        waitingBytes += record.size
        size += record.size
        countGap(record)
    }

    private mutating func countGap(_ record: QueuedRecord) {
        guard let gap = record.gap else { return }
        gapCount += 1
        gapStart = min(gapStart ?? gap.from, gap.from)
    }

    // MARK: - The middle

    /// Drops the oldest records that were never sent until the size is at most `limit`.
    mutating func dropOldest(to limit: Int) {
        while size > limit, let record = waiting.popFirst() {
            waitingBytes -= record.size
            let start = record.start
            let end = record.end
            let until = dropped ?? Dropped(count: 0, from: start, to: end)
            dropped = Dropped(count: until.count + 1, from: min(until.from, start), to: max(until.to, end))
            release(record)
        }
    }

    /// Moves the next record that was never sent to those that were; its number is now written down.
    ///
    /// - Returns: the record; nil if there is none.
    mutating func sendNext() -> QueuedRecord? {
        var record: QueuedRecord
        if let dropped {
            let gap = RelayGap(from: dropped.from, to: dropped.to, reason: .overflow)
            record = QueuedRecord(skippedCount: dropped.count, receivedAt: dropped.to, content: .gap(gap))
            self.dropped = nil
            size += record.size
            countGap(record)
        } else {
            guard let next = waiting.popFirst() else { return nil }
            waitingBytes -= next.size
            record = next
        }
        lastSequence += record.skippedCount + 1
        record.sequence = lastSequence
        sent.append(record)
        return record
    }

    /// The size of the record that `sendNext` would return.
    var nextSize: Int? { dropped == nil ? waiting.first?.size : QueuedRecord.overhead }

    // MARK: - Those that were sent

    mutating func putInFlight(count: Int) {
        for place in inFlightCount..<inFlightCount + count { inFlightBytes += sent[place].size }
        inFlightCount += count
    }

    /// The connection is gone, or has refused the first record in flight and all behind it.
    mutating func nothingIsInFlight() {
        inFlightCount = 0
        inFlightBytes = 0
    }

    /// Removes the first record; it is stored, or never will be.
    mutating func removeFirst() -> QueuedRecord? {
        guard let record = sent.popFirst() else { return nil }
        if inFlightCount > 0 {
            inFlightCount -= 1
            inFlightBytes -= record.size
        }
        release(record)
        return record
    }

    /// Puts records before all others, which get numbers from `lastStored` on: none of them is stored.
    mutating func restart(after lastStored: UInt64, with records: [QueuedRecord]) {
        nothingIsInFlight()
        for record in records.reversed() {
            sent.prepend(record)
            size += record.size
            countGap(record)
        }
        lastSequence = lastStored
        for place in 0..<sent.count {
            lastSequence += sent[place].skippedCount + 1
            sent[place].sequence = lastSequence
        }
    }

    /// The place of a record that was sent.
    func place(of sequence: UInt64) -> Int? {
        var range = 0..<sent.count
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            let found = sent[middle].sequence
            if found == sequence { return middle }
            range = found < sequence ? middle + 1..<range.upperBound : range.lowerBound..<middle
        }
        return nil
    }

    /// Appends a part of a notification's bytes.
    func append(_ place: ByteStore.Place, _ part: Range<Int>, to output: inout [UInt8]) {
        store.append(place, part, to: &output)
    }

    /// The memory that is allocated for the queue. While a ring grows, its old storage counts as well.
    var allocatedSize: Int { store.allocatedSize + sent.allocatedSize + waiting.allocatedSize }

    private mutating func release(_ record: QueuedRecord) {
        size -= record.size
        if case .notification(let place) = record.content { store.release(place) }
        guard record.gap != nil else { return }
        gapCount -= 1
        if gapCount == 0 { gapStart = nil }
    }
}
