internal import GenesysLoop

/// A batch that waits for its reply.
struct RedisAppend {
    let first: RecordID
    let last: RecordID
    let generation: Int
    /// The batch is one record that a server might find too large.
    let isSuspect: Bool
    /// The record was found too large before it was sent: the reason. The reply belongs to a command that only keeps
    /// its place behind those that were sent before.
    var excess: String?
}

extension RedisSink {
    package func append(_ batch: RelayBatch) {
        guard let connection, connection.isOpen, let setup, let first = batch.records.first else { return }
        identity = (batch.owner, batch.first.epoch)
        var append = RedisAppend(
            first: RecordID(epoch: batch.first.epoch, sequence: first.sequence), last: batch.last,
            generation: generation,
            isSuspect: batch.records.count == 1 && batch.bytes.count > RedisSink.leastBulkLimit)
        append.excess = excess(of: append, batch, setup)
        guard append.excess == nil else { return connection.send(RESPCommand("PING"), for: .append(append)) }
        connection.send(command(batch, setup), for: .append(append))
    }

    private func command(_ batch: RelayBatch, _ setup: RedisSetup) -> RESPCommand {
        var command = RESPCommand("EVALSHA", setup.scriptName, "2", keys.stream, keys.head)
        let count = batch.records.count
        command.reserve(
            bytes: batch.bytes.count + 512 + count,
            words: 5 + RedisScripts.appendHead + RedisScripts.appendRecord * count)
        command.append(batch.first.epoch)
        command.append(batch.owner)
        command.append(batch.first.sequence)
        command.append(configuration.maxLength.map(String.init) ?? "")
        command.append(batch.coveredUntil.microsecondText)
        command.append(batch.bytes, batch.records.first.flatMap { batch.range(of: .source, in: $0) } ?? 0..<0)
        for record in batch.records {
            command.append(record.skippedCount)
            for field in [RelayBatch.Field.id, .type, .topic, .time, .correlation, .data] {
                command.append(batch.bytes, batch.range(of: field, in: record) ?? 0..<0)
            }
        }
        return command
    }

    /// Why a record is too large for the server; nil if it is not.
    private func excess(of append: RedisAppend, _ batch: RelayBatch, _ setup: RedisSetup) -> String? {
        guard append.isSuspect, let record = batch.records.first else { return nil }
        let size = RelayBatch.Field.allCases.compactMap { batch.range(of: $0, in: record)?.count }.max() ?? 0
        if let limit = setup.bulkLimit {
            return size > limit ? "too large: \(size) bytes, and proto-max-bulk-len is \(limit)" : nil
        }
        guard let suspect, suspect.id == append.first, suspect.count >= 2 else { return nil }
        return "too large: \(size) bytes, at which the server ended the connection twice"
    }

    /// Remembers a large record that was not answered when the server ended the connection.
    func suspect(_ request: RedisRequest?, after loss: RedisLoss) {
        guard loss.isByServer, case .append(let append)? = request, append.isSuspect else { return }
        suspect = (append.first, suspect?.id == append.first ? (suspect?.count ?? 0) + 1 : 1)
    }

    // MARK: - Replies

    func take(_ reply: RESPReply, to append: RedisAppend) {
        // What was given with a refused record is refused with it, and nothing of it was stored.
        guard append.generation == generation else { return }
        if let excess = append.excess { return refuse(append.first.sequence, .permanent(excess)) }
        switch reply {
        case .integer(let head) where head >= 0: stored(UInt64(head), of: append)
        case .array(let parts):
            // A part is stored.
            guard parts.count == 2, case .integer(let head) = parts[0], let text = parts[1].text, head >= 0
            else { return loseForNoNumber() }
            let connection = connection
            stored(UInt64(head), of: append)
            guard connection === self.connection, append.generation == generation else { return }
            take(error: text, to: append, from: UInt64(head) + 1)
        case .error(let text): take(error: text, to: append, from: append.first.sequence)
        case .status, .bulk, .null, .integer: loseForNoNumber()
        }
    }

    private func loseForNoNumber() {
        lose(RedisLoss("\(server) answered EVALSHA on \(keys.stream) with no sequence."))
    }

    private func stored(_ head: UInt64, of append: RedisAppend) {
        suspect = nil
        let sequence = min(head, append.last.sequence)
        delegate?.sink(self, didStoreThrough: RecordID(epoch: append.last.epoch, sequence: sequence))
    }

    private func take(error text: String, to append: RedisAppend, from sequence: UInt64) {
        let words = RedisSetup.words(text, without: password)
        let error = RedisError(text)
        switch error {
        case .fenced: refuse(sequence, .fenced)
        case .hole(let wanted): refuse(sequence, .hole(wanted: wanted))
        case .busy, .other: refuse(sequence, .busy("\(server) does not take records now: \(words)."))
        case .noScript:
            // It was restarted behind our back, or its scripts were removed.
            connection?.send(RESPCommand("SCRIPT", "LOAD", RedisScripts.append), for: .loadScript)
            refuse(sequence, .busy("\(server) had lost the relay's script."))
        case .tooLarge where append.isSuspect: refuse(sequence, .permanent("too large: \(words)"))
        case .lost, .moved, .unauthorized, .misconfigured, .tooLarge:
            lose(RedisLoss(server: server, subject: "EVALSHA on \(keys.stream)", text: words, error: error))
        }
    }

    private func refuse(_ sequence: UInt64, _ refusal: RelayMachine.Refusal) {
        generation += 1
        delegate?.sink(self, didRefuse: sequence, refusal)
    }
}
