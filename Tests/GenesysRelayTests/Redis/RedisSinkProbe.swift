import Foundation
import GenesysLoop

@testable import GenesysRelay

/// A delegate that remembers what a sink reports, and does something then.
final class RedisSinkProbe: RelayLeaseStoreDelegate {
    enum Call: Equatable {
        case opened(EngineDescription, StreamHead?)
        case stored(RecordID)
        case refused(UInt64, RelayMachine.Refusal)
        case lost(String)
        case failed(RelaySinkFailure)
        case lease(LeaseRecord?, StreamHead?)
        case replaced(Bool, LeaseRecord?, StreamHead?)
        case closed
    }

    let loop: UVLoop
    let sink: RedisSink
    private(set) var calls: [Call] = []
    /// Called after each call was noted.
    var onCall: (RedisSinkProbe, Call) -> Void

    init(
        _ target: RedisTarget, on loop: UVLoop, _ change: (inout RedisSink.Configuration) -> Void = { _ in },
        onCall: @escaping (RedisSinkProbe, Call) -> Void = { probe, _ in probe.close() }
    ) throws {
        var configuration = RedisSink.Configuration(target: target, name: "test")
        change(&configuration)
        self.loop = loop
        sink = try RedisSink(configuration, on: loop)
        self.onCall = onCall
        sink.delegate = self
    }

    convenience init(_ target: RedisTarget, on loop: UVLoop, onCall: @escaping (RedisSinkProbe, Call) -> Void) throws {
        try self.init(target, on: loop, { _ in }, onCall: onCall)
    }

    /// Opens it, and runs to the end.
    ///
    /// - Returns: what was reported.
    @discardableResult
    func run() -> [Call] {
        sink.open(after: nil)
        loop.run()
        return calls
    }

    func close() { sink.close(coveredUntil: nil, isReleased: false) { [weak self] in self?.calls.append(.closed) } }

    private func note(_ call: Call) {
        calls.append(call)
        onCall(self, call)
    }

    func sink(_ sink: any RelaySink, didOpen engine: EngineDescription, head: StreamHead?) {
        note(.opened(engine, head))
    }
    func sink(_ sink: any RelaySink, didStoreThrough id: RecordID) { note(.stored(id)) }
    func sink(_ sink: any RelaySink, didRefuse sequence: UInt64, _ refusal: RelayMachine.Refusal) {
        note(.refused(sequence, refusal))
    }
    func sink(_ sink: any RelaySink, didLose reason: String) { note(.lost(reason)) }
    func sink(_ sink: any RelaySink, didFail failure: RelaySinkFailure) { note(.failed(failure)) }
    func sink(_ sink: any RelayLeaseStore, didReadLease lease: LeaseRecord?, head: StreamHead?) {
        note(.lease(lease, head))
    }
    func sink(
        _ sink: any RelayLeaseStore, didReplaceLease isReplaced: Bool, current: LeaseRecord?, head: StreamHead?
    ) { note(.replaced(isReplaced, current, head)) }
}
