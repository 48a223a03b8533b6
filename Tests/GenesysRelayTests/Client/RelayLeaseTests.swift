import GenesysLoop
import Testing

@testable import GenesysRelay

/// An engine in memory that several relays reach, each through a sink of its own.
final class SharedEngine {
    var lease: LeaseRecord?
    var head: StreamHead?
    /// The owners and types of what is stored.
    var records: [(owner: String, type: String)] = []
}

final class SharedSink: RelayLeaseStore {
    weak var delegate: (any RelaySinkDelegate)?
    private let engine: SharedEngine
    private let loop: UVLoop
    private var owner: String?

    init(_ engine: SharedEngine, on loop: UVLoop) {
        self.engine = engine
        self.loop = loop
    }

    private func later(_ body: @escaping () -> Void) { loop.schedule(after: .zero, body) }

    func open(after last: RecordID?) {
        later { [self] in
            delegate?.sink(self, didOpen: EngineDescription(version: "shared", durability: "none"), head: engine.head)
        }
    }

    func readLease() {
        later { [self] in store?.sink(self, didReadLease: engine.lease, head: engine.head) }
    }

    func replaceLease(revision: UInt64?, with lease: LeaseRecord) {
        later { [self] in
            let isReplaced = engine.lease?.revision == revision
            if isReplaced {
                engine.lease = lease
                owner = lease.owner
            }
            store?.sink(self, didReplaceLease: isReplaced, current: engine.lease, head: engine.head)
        }
    }

    private var store: (any RelayLeaseStoreDelegate)? { delegate as? any RelayLeaseStoreDelegate }

    func append(_ batch: RelayBatch) {
        later { [self] in
            if let head = engine.head, head.last.epoch > batch.first.epoch {
                delegate?.sink(self, didRefuse: batch.first.sequence, .fenced)
                return
            }
            for record in batch.records {
                engine.records.append((batch.owner, batch.text(of: .type, in: record) ?? ""))
            }
            engine.head = StreamHead(last: batch.last, owner: batch.owner, coveredUntil: batch.coveredUntil)
            delegate?.sink(self, didStoreThrough: batch.last)
        }
    }

    func close(coveredUntil: WallTime?, isReleased: Bool, completion: @escaping () -> Void) {
        delegate = nil
        if engine.lease?.owner == owner { engine.lease?.isReleased = true }
        if isReleased { engine.head?.isReleased = true }
        later(completion)
    }
}

@Suite(.timeLimit(.minutes(1))) struct RelayLeaseTests {
    private let loop: UVLoop
    private let engine = SharedEngine()

    init() throws { loop = try UVLoop() }

    private func host(lease: Duration = .milliseconds(300)) throws -> RelayHost {
        var configuration = RelayConfiguration()
        configuration.linger = .zero
        configuration.lease = lease
        let host = RelayHost(on: loop)
        host.relay = try Relay(
            name: "test", target: .standardOutput, sink: SharedSink(engine, on: loop), on: loop, delegate: host,
            configuration: configuration)
        return host
    }

    @Test func `a second relay of the name ends while the first one renews its lease, and has written nothing`() throws
    {
        let first = try host()
        let second = try host()
        first.onCall = { if $1 == .source { second.relay?.open() } }
        second.onCall = { host, call in if case .failed = call { first.relay?.close() } }
        first.relay?.open()
        loop.run()
        let owner = try #require(engine.lease?.owner)
        #expect(
            second.plot == [
                .event(.waitingForLease(owner: owner, limit: .milliseconds(2_300))),
                .failed(.leaseHeld, undelivered: 0),
            ])
        #expect(second.failure?.message.contains(try #require(engine.lease?.owner)) == true)
        #expect(first.plot == [.source, .event(.drained), .closed])
        #expect(Set(engine.records.map(\.owner)).count == 1)
        #expect(engine.lease?.isReleased == true)
    }

    @Test func `a lease that was given up is taken at once, with the next epoch`() throws {
        let first = try host()
        first.onCall = { if $1 == .source { $0.relay?.close() } }
        first.relay?.open()
        loop.run()
        let epoch = try #require(engine.head?.last.epoch)
        let second = try host(lease: .seconds(3_600))
        second.onCall = { if $1 == .source { $0.relay?.close() } }
        second.relay?.open()
        loop.run()
        #expect(second.calls.contains(.event(.leading(epoch: epoch + 1))))
        #expect(second.calls.last == .closed)
    }

    @Test func `a relay that another one has followed is fenced`() throws {
        let first = try host()
        let engine = engine
        first.onCall = { host, call in
            guard call == .source, let epoch = engine.head?.last.epoch else { return }
            let next = LeaseRecord(owner: "other", epoch: epoch + 1, revision: 77)
            engine.lease = next
            engine.head = StreamHead(last: RecordID(epoch: epoch + 1, sequence: 1), owner: "other")
        }
        first.relay?.open()
        loop.run()
        #expect(first.plot == [.source, .event(.fenced), .failed(.fenced, undelivered: 0)])
        #expect(first.relay?.statistics.fencedCount == 1)
        #expect(engine.lease?.owner == "other")
    }
}
