import GenesysLoop

@testable import GenesysRelay

/// The suite's reference: an engine in memory, whose answers a test can hold back.
final class MemorySink: RelaySink {
    struct Stored: Equatable {
        let id: RecordID
        let type: String
        let topic: String
        let correlation: String?
        let data: String
    }

    weak var delegate: (any RelaySinkDelegate)?
    private(set) var records: [Stored] = []
    private(set) var openCount = 0
    private(set) var closing: (coveredUntil: WallTime?, isReleased: Bool)?
    /// Whether it answers nothing.
    var isFrozen = false
    /// The answer to each call of `open`; nil is a description.
    var loss: String?
    var failure: RelaySinkFailure?
    /// A record whose data holds this text is refused for good.
    var poison: String?
    private let loop: UVLoop
    private var owner = ""
    private var unanswered: [RelayBatch] = []

    init(on loop: UVLoop) { self.loop = loop }

    func open(after last: RecordID?) {
        openCount += 1
        unanswered = []
        later { sink in
            if let failure = sink.failure {
                sink.delegate?.sink(sink, didFail: failure)
            } else if let loss = sink.loss {
                sink.delegate?.sink(sink, didLose: loss)
            } else {
                sink.delegate?.sink(
                    sink, didOpen: EngineDescription(version: "memory 1", durability: "none", warnings: ["Volatile."]),
                    head: sink.records.last.map { StreamHead(last: $0.id, owner: sink.owner) })
            }
        }
    }

    func append(_ batch: RelayBatch) {
        unanswered.append(batch)
        guard !isFrozen else { return }
        later { $0.answer() }
    }

    func close(coveredUntil: WallTime?, isReleased: Bool, completion: @escaping () -> Void) {
        closing = (coveredUntil, isReleased)
        delegate = nil
        later { _ in completion() }
    }

    /// Answers again.
    func thaw() {
        isFrozen = false
        answer()
    }

    /// The connection is gone; what was stored stays, with its acknowledgements lost if `isStored`.
    func lose(storing isStored: Bool = false) {
        if isStored { for batch in unanswered { store(batch) } }
        unanswered = []
        delegate?.sink(self, didLose: "cut")
    }

    private func later(_ body: @escaping (MemorySink) -> Void) {
        loop.schedule(after: .zero) { [self] in body(self) }
    }

    private func answer() {
        while !isFrozen, !unanswered.isEmpty, delegate != nil {
            let batch = unanswered.removeFirst()
            if let refused = store(batch) {
                unanswered = []
                delegate?.sink(self, didRefuse: refused, .permanent("too large"))
            } else {
                delegate?.sink(self, didStoreThrough: batch.last)
            }
        }
    }

    /// - Returns: the number of the record that is refused.
    @discardableResult
    private func store(_ batch: RelayBatch) -> UInt64? {
        owner = batch.owner
        for record in batch.records {
            let data = batch.text(of: .data, in: record) ?? ""
            if let poison, data.contains(poison) { return record.sequence }
            records.append(
                Stored(
                    id: RecordID(epoch: batch.first.epoch, sequence: record.sequence),
                    type: String((batch.text(of: .type, in: record) ?? "").dropFirst("genesys.".count)),
                    topic: batch.text(of: .topic, in: record) ?? "",
                    correlation: batch.text(of: .correlation, in: record), data: data))
        }
        return nil
    }
}
