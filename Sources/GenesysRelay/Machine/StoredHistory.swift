import GenesysLoop

/// What the engine has acknowledged, and when that was received: the gap, should the engine lose it.
///
/// Kept is a bounded number of marks, the older ones farther apart.
struct StoredHistory: Equatable, Sendable {
    /// Records that the engine had and lost.
    struct Loss: Equatable, Sendable {
        let records: RelayGap.LostRecords
        /// The earliest start of the records.
        let start: WallTime
    }

    private struct Mark: Equatable, Sendable {
        let first: RecordID
        /// The earliest start of the records from `first` to the next mark.
        var start: WallTime
    }

    static let markLimit = 256
    static let epochLimit = 64
    /// The least time between two marks, in seconds.
    static let spacing: Int64 = 1

    private var marks: [Mark] = []
    /// The last record of each epoch, the oldest epoch first.
    private var lasts: [RecordID] = []

    /// The stream has records of an earlier writer. They were not received before their epoch began: its number is
    /// about the Unix time of its beginning or less, unless another program chose it. Epochs that follow one another
    /// quickly may be ahead of the time, not by an hour.
    ///
    /// - Parameter end: when the last of them was received.
    mutating func found(_ last: RecordID, before end: WallTime) {
        let beginning = WallTime(seconds: Int64(clamping: last.epoch))
        let start = beginning <= end ? beginning + .seconds(-3_600) : WallTime(seconds: 0)
        marks.append(Mark(first: RecordID(epoch: last.epoch, sequence: 1), start: max(start, WallTime(seconds: 0))))
        lasts.append(last)
    }

    /// A record is stored.
    mutating func stored(_ id: RecordID, start: WallTime) {
        if lasts.last?.epoch == id.epoch {
            lasts[lasts.count - 1] = id
        } else {
            lasts.append(id)
            if lasts.count > StoredHistory.epochLimit { lasts.removeFirst() }
            marks.append(Mark(first: id, start: start))
            return
        }
        if let last = marks.last, start < last.start.later(bySeconds: StoredHistory.spacing) {
            marks[marks.count - 1].start = min(last.start, start)
            return
        }
        marks.append(Mark(first: id, start: start))
        if marks.count > StoredHistory.markLimit { thin() }
    }

    /// Makes the older half half as dense.
    private mutating func thin() {
        var thinned: [Mark] = []
        for index in marks.indices {
            if index < StoredHistory.markLimit / 2, index % 2 == 1 {
                thinned[thinned.count - 1].start = min(thinned[thinned.count - 1].start, marks[index].start)
            } else {
                thinned.append(marks[index])
            }
        }
        marks = thinned
    }

    /// The stream ends at `head`: what was stored behind it is lost.
    mutating func rollBack(to head: RecordID?) -> [Loss] {
        var losses: [Loss] = []
        var kept: [RecordID] = []
        for last in lasts {
            guard head.map({ $0 < last }) ?? true else {
                kept.append(last)
                continue
            }
            let isPartOf = head?.epoch == last.epoch
            let first = isPartOf ? (head?.sequence ?? 0) + 1 : 1
            if isPartOf, let head { kept.append(head) }
            let place = marks.lastIndex { $0.first <= RecordID(epoch: last.epoch, sequence: first) } ?? 0
            guard let start = marks.dropFirst(place).map(\.start).min() else { continue }
            let records = RelayGap.LostRecords(epoch: last.epoch, sequences: first...last.sequence)
            losses.append(Loss(records: records, start: start))
        }
        if !losses.isEmpty {
            lasts = kept
            marks.removeAll { mark in head.map { $0 < mark.first } ?? true }
        }
        return losses
    }
}
