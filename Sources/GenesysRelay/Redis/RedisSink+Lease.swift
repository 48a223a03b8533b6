internal import GenesysLoop

extension RedisSink {
    package func readLease() {
        connection?.send(.script(RedisScripts.readLease, [keys.head, keys.lease], []), for: .readLease)
    }

    package func replaceLease(revision: UInt64?, with lease: LeaseRecord) {
        identity = identity ?? (lease.owner, lease.epoch)
        connection?.send(
            .script(
                RedisScripts.replaceLease, [keys.head, keys.lease],
                [
                    revision.map(String.init) ?? "", lease.owner, String(lease.epoch), String(lease.revision),
                    loop.now.wall.microsecondText, lease.coveredUntil?.microsecondText ?? "",
                    lease.isReleased ? "released" : "held",
                ]), for: .replaceLease)
    }

    func takeLease(_ reply: RESPReply) {
        if let text = reply.errorText { return lose(refusal(of: "EVAL on \(keys.lease)", text)) }
        guard let (lease, head) = read(reply.elements[...]) else { return }
        leaseDelegate?.sink(self, didReadLease: lease, head: head)
    }

    func takeReplacement(_ reply: RESPReply) {
        if let text = reply.errorText { return lose(refusal(of: "EVAL on \(keys.lease)", text)) }
        guard let (lease, head) = read(reply.elements.dropFirst()) else { return }
        leaseDelegate?.sink(
            self, didReplaceLease: reply.elements.first == .integer(1), current: lease, head: head)
    }

    private var leaseDelegate: (any RelayLeaseStoreDelegate)? { delegate as? any RelayLeaseStoreDelegate }

    /// Reads lease and head; loses the connection if the parts are something else.
    private func read(_ parts: ArraySlice<RESPReply>) -> (LeaseRecord?, StreamHead?)? {
        do throws(RedisLoss) {
            guard let first = parts.first, let last = parts.last, parts.count == 2 else {
                throw RedisLoss("\(server) answered EVAL on \(keys.lease) with no lease.")
            }
            return (
                try LeaseRecord.read(first.elements, of: keys, server: server),
                try StreamHead.read(last.elements, of: keys, server: server)
            )
        } catch {
            lose(error)
            return nil
        }
    }
}

extension LeaseRecord {
    /// Reads owner, epoch, revision, coveredUntil and state; nil if there is no lease.
    static func read(_ fields: [RESPReply], of keys: RedisKeys, server: String) throws(RedisLoss) -> LeaseRecord? {
        guard fields.count == 5, fields[2] != .null else { return nil }
        guard let owner = fields[0].text, let epoch = fields[1].text.flatMap({ UInt64($0) }),
            let revision = fields[2].text.flatMap({ UInt64($0) }), epoch < RecordID.limit, revision < RecordID.limit
        else {
            throw RedisLoss(
                "The key \(keys.lease) of \(server) holds no lease of a relay; choose another stream with --stream.",
                final: .configuration)
        }
        return LeaseRecord(
            owner: owner, epoch: epoch, revision: revision,
            coveredUntil: fields[3].text.flatMap { WallTime(microsecondText: $0) },
            isReleased: fields[4].text == "released")
    }
}
