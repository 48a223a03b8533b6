package import GenesysLoop

/// Records as they go into an engine: their fields in the order of the contract, encoded.
package struct RelayBatch: Equatable, Sendable {
    package enum Field: String, CaseIterable, Sendable {
        case id, type, topic, time, source, correlation, data
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
        let place = Field.allCases.firstIndex(of: field) ?? 0
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
        var separator = "{\""
        for field in Field.allCases {
            guard let range = range(of: field, in: record) else { continue }
            output.append(contentsOf: separator.utf8)
            separator = ",\""
            output.append(contentsOf: field.rawValue.utf8)
            output.append(contentsOf: "\":".utf8)
            switch field {
            case .data:
                // Between the tokens of JSON a line may end; in a string it cannot.
                let start = output.count
                Bytes.append(bytes.span, range, to: &output)
                for index in start..<output.count where output[index] == 0x0A || output[index] == 0x0D {
                    output[index] = 0x20
                }
            case .id, .type, .topic, .time, .source, .correlation:
                JSONText.append(String(decoding: bytes[range], as: UTF8.self), to: &output)
            }
        }
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
        for index in place..<place + range.count {
            batch.encode(queue.sent[index], epoch: range.first.epoch, source: source, from: queue)
        }
        return batch
    }
}

extension RelayBatch {
    fileprivate mutating func encode(_ record: QueuedRecord, epoch: UInt64, source: String, from queue: RelayQueue) {
        let start = bytes.count
        var ends = SIMD8<Int32>()
        func end(_ field: Int, _ bytes: [UInt8]) { ends[field] = Int32(bytes.count - start) }
        append(RecordID(epoch: epoch, sequence: record.sequence).description)
        end(0, bytes)
        append(record.type)
        end(1, bytes)
        // The store has topic, correlation id and data in one piece; the fields between them are put there.
        var place: ByteStore.Place?
        var stored: [UInt8] = []
        if case .notification(let found) = record.content {
            place = found
            queue.append(found, to: &stored)
        }
        let topicEnd = Int(place?.topicCount ?? 0)
        let correlationEnd = topicEnd + Int(place?.correlationCount ?? 0)
        Bytes.append(stored.span, 0..<topicEnd, to: &bytes)
        end(2, bytes)
        append(record.receivedAt.microsecondText)
        end(3, bytes)
        append(source)
        end(4, bytes)
        Bytes.append(stored.span, topicEnd..<correlationEnd, to: &bytes)
        end(5, bytes)
        Bytes.append(stored.span, correlationEnd..<stored.count, to: &bytes)
        appendData(of: record, epoch: epoch)
        end(6, bytes)
        records.append(
            Record(sequence: record.sequence, skippedCount: record.skippedCount, start: start, ends: ends))
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
    fileprivate var type: String {
        switch content {
        case .notification: "genesys.notification"
        case .gap: "genesys.gap"
        case .epoch: "genesys.epoch"
        case .alive: "genesys.alive"
        }
    }
}
