package import GenesysLoop

/// Records as they go into an engine: their fields in the order of the contract, encoded.
package struct RelayBatch: Equatable, Sendable {
    package enum Field: Int, CaseIterable, Sendable {
        case id, type, topic, time, source, correlation, data

        /// Whether no byte of it needs an escape in a string of JSON.
        fileprivate var isPlain: Bool {
            switch self {
            case .id, .type, .time, .source: true
            case .topic, .correlation, .data: false
            }
        }

        /// Its name with what stands around it in an object.
        fileprivate var opening: String {
            switch self {
            case .id: "{\"id\":"
            case .type: ",\"type\":"
            case .topic: ",\"topic\":"
            case .time: ",\"time\":"
            case .source: ",\"source\":"
            case .correlation: ",\"correlation\":"
            case .data: ",\"data\":"
            }
        }
    }

    package struct Record: Equatable, Sendable {
        package let sequence: UInt64
        /// The numbers directly before it that no record has: it is a gap record, and names them.
        package let skippedCount: UInt64
        /// The ends of the fields in `bytes`, in the order of `Field`.
        fileprivate let start: Int
        fileprivate let ends: SIMD8<Int32>
    }

    package let owner: String
    package let first: RecordID
    package let coveredUntil: WallTime
    package private(set) var records: [Record] = []
    /// All fields, one after the other.
    package private(set) var bytes: [UInt8] = []

    package var last: RecordID {
        RecordID(epoch: first.epoch, sequence: records.last?.sequence ?? first.sequence)
    }

    fileprivate init(owner: String, first: RecordID, coveredUntil: WallTime) {
        self.owner = owner
        self.first = first
        self.coveredUntil = coveredUntil
    }

    /// The bytes of a field; nil for a correlation id that the message does not have.
    package func range(of field: Field, in record: Record) -> Range<Int>? {
        let place = field.rawValue
        let start = place == 0 ? record.start : record.start + Int(record.ends[place - 1])
        let end = record.start + Int(record.ends[place])
        return field == .correlation && start == end ? nil : start..<end
    }

    package func text(of field: Field, in record: Record) -> String? {
        range(of: field, in: record).map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    // MARK: - Lines of JSON

    /// Appends each record as one line.
    package func appendLines(to output: inout [UInt8]) {
        for record in records {
            appendMembers(of: record, to: &output)
            output.append(contentsOf: "}\n".utf8)
        }
    }

    /// The first record as a line, with the reason of its refusal.
    func deadLetter(_ reason: String) -> [UInt8] {
        guard let record = records.first else { return [] }
        var line: [UInt8] = []
        appendMembers(of: record, to: &line)
        line.append(contentsOf: ",\"refused\":".utf8)
        JSONText.append(reason, to: &line)
        line.append(contentsOf: "}\n".utf8)
        return line
    }

    private func appendMembers(of record: Record, to output: inout [UInt8]) {
        for field in Field.allCases {
            guard let range = range(of: field, in: record) else { continue }
            output.append(contentsOf: field.opening.utf8)
            if field == .data {
                appendJSON(range, to: &output)
            } else if field.isPlain || bytes.span.extracting(range).isPlainText {
                output.append(UInt8(ascii: "\""))
                Bytes.append(bytes.span, range, to: &output)
                output.append(UInt8(ascii: "\""))
            } else {
                JSONText.append(String(decoding: bytes[range], as: UTF8.self), to: &output)
            }
        }
    }

    /// Between the tokens of JSON a line may end; in a string it cannot.
    private func appendJSON(_ range: Range<Int>, to output: inout [UInt8]) {
        let start = output.count
        Bytes.append(bytes.span, range, to: &output)
        for index in start..<output.count where output[index] == 0x0A || output[index] == 0x0D {
            output[index] = 0x20
        }
    }
}

extension Span<UInt8> {
    /// Whether it is of ASCII, without what has an escape in a string of JSON.
    fileprivate var isPlainText: Bool {
        for index in indices {
            let byte = self[index]
            if byte < 0x20 || byte > 0x7E || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return false }
        }
        return true
    }
}

// MARK: - Encoding

extension RelayMachine {
    /// The records of a range that was sent and is not acknowledged.
    package func batch(_ range: BatchRange) -> RelayBatch {
        var batch = RelayBatch(owner: owner, first: range.first, coveredUntil: range.coveredUntil)
        guard let place = queue.place(of: range.first.sequence), place + range.count <= queue.sent.count else {
            brokenInvariant("a batch holds records that were sent")
            return batch
        }
        var frame = RecordFrame(epoch: range.first.epoch, source: source)
        var size = 0
        for index in place..<place + range.count { size += queue.sent[index].byteCount + frame.byteCount }
        batch.reserve(records: range.count, bytes: size)
        for index in place..<place + range.count { batch.append(queue.sent[index], &frame, from: queue) }
        return batch
    }
}

/// The fields that the records of a batch share, but for some digits.
private struct RecordFrame {
    private static let idEnd = "00000000000000000000"
    private static let timeForm = "0000-00-00T00:00:00.000000Z"

    let epoch: UInt64
    /// Id, and type of a notification.
    private(set) var head: [UInt8]
    let idCount: Int
    /// Time and source.
    private(set) var tail: [UInt8]
    private var second: Int64?

    init(epoch: UInt64, source: String) {
        self.epoch = epoch
        let id = "\(epoch)." + RecordFrame.idEnd
        idCount = id.utf8.count
        head = Array((id + QueuedRecord.notificationType).utf8)
        tail = Array((RecordFrame.timeForm + source).utf8)
    }

    var byteCount: Int { head.count + tail.count }

    mutating func set(_ record: QueuedRecord) {
        // Sequences rise in a batch.
        Digits.raise(to: record.sequence, in: &head, before: idCount)
        if second != record.receivedAt.seconds {
            second = record.receivedAt.seconds
            record.receivedAt.writeSecond(into: &tail)
        }
        record.receivedAt.writeMicroseconds(into: &tail)
    }
}

extension RelayBatch {
    fileprivate mutating func reserve(records count: Int, bytes byteCount: Int) {
        records.reserveCapacity(count)
        bytes.reserveCapacity(byteCount)
    }

    fileprivate mutating func append(_ record: QueuedRecord, _ frame: inout RecordFrame, from queue: RelayQueue) {
        frame.set(record)
        let start = bytes.count
        let ends: SIMD8<Int32>
        if case .notification(let place) = record.content {
            ends = append(place, frame, from: queue)
        } else {
            ends = appendOwn(record, frame)
        }
        records.append(
            Record(sequence: record.sequence, skippedCount: record.skippedCount, start: start, ends: ends))
    }

    /// - Returns: the ends of the fields.
    private mutating func append(
        _ place: ByteStore.Place, _ frame: RecordFrame, from queue: RelayQueue
    ) -> SIMD8<Int32> {
        let topic = Int(place.topicCount)
        let correlation = topic + Int(place.correlationCount)
        Bytes.append(frame.head.span, 0..<frame.head.count, to: &bytes)
        queue.append(place, 0..<topic, to: &bytes)
        Bytes.append(frame.tail.span, 0..<frame.tail.count, to: &bytes)
        queue.append(place, topic..<place.byteCount, to: &bytes)
        let topicEnd = frame.head.count + topic
        let sourceEnd = topicEnd + frame.tail.count
        return SIMD8(
            Int32(frame.idCount), Int32(frame.head.count), Int32(topicEnd),
            Int32(topicEnd + WallTime.microsecondTextCount), Int32(sourceEnd),
            Int32(sourceEnd + correlation - topic), Int32(sourceEnd + place.byteCount - topic), 0)
    }

    /// A record of the relay itself: without topic and correlation id.
    private mutating func appendOwn(_ record: QueuedRecord, _ frame: RecordFrame) -> SIMD8<Int32> {
        let start = bytes.count
        Bytes.append(frame.head.span, 0..<frame.idCount, to: &bytes)
        append(record.type)
        let typeEnd = Int32(bytes.count - start)
        Bytes.append(frame.tail.span, 0..<frame.tail.count, to: &bytes)
        let sourceEnd = Int32(bytes.count - start)
        appendData(of: record, epoch: frame.epoch)
        return SIMD8(
            Int32(frame.idCount), typeEnd, typeEnd, typeEnd + Int32(WallTime.microsecondTextCount), sourceEnd,
            sourceEnd, Int32(bytes.count - start), 0)
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// The data of the relay's own records.
    private mutating func appendData(of record: QueuedRecord, epoch: UInt64) {
        switch record.content {
        case .notification: break
        case .alive(let coveredUntil): append("{\"coveredUntil\":\"\(coveredUntil.microsecondText)\"}")
        case .epoch(let previous):
            append("{\"epoch\":\(epoch),\"owner\":")
            JSONText.append(owner, to: &bytes)
            if let previous {
                append(",\"previous\":{\"epoch\":\(previous.epoch),\"coveredUntil\":")
                append(previous.coveredUntil.map { "\"\($0.microsecondText)\"" } ?? "null")
                append("}")
            }
            append("}")
        case .gap(let gap):
            append("{\"from\":\"\(gap.from.microsecondText)\",\"to\":\"\(gap.to.microsecondText)\"")
            append(",\"reason\":\"\(gap.reason.rawValue)\",\"topics\":\"all\"")
            if let lost = gap.lost {
                append(",\"epoch\":\(lost.epoch)")
                append(",\"sequences\":[\(lost.sequences.lowerBound),\(lost.sequences.upperBound)]")
            } else if let skipped = record.skipped {
                append(",\"sequences\":[\(skipped.lowerBound),\(skipped.upperBound)]")
            }
            append("}")
        }
    }
}

extension QueuedRecord {
    fileprivate static let notificationType = "genesys.notification"

    /// The bytes of its data, and of its topic and correlation id; more than those of an own record.
    fileprivate var byteCount: Int { if case .notification(let place) = content { place.byteCount } else { 256 } }

    fileprivate var type: String {
        switch content {
        case .notification: QueuedRecord.notificationType
        case .gap: "genesys.gap"
        case .epoch: "genesys.epoch"
        case .alive: "genesys.alive"
        }
    }
}
