/// What the sink reports.
extension Relay: RelaySinkDelegate {
    package func sink(_ sink: any RelaySink, didOpen engine: EngineDescription, head: StreamHead?) {
        if isTold(engine, head) { record.engineConnectCount += 1 }
        guard holding != nil else { return opened(head: head) }
        leaseInput { $0.opened(now: $1) }
    }

    /// The engine stores what is sent.
    func opened(head: StreamHead?, floor: UInt64 = 0) {
        input { [self] machine, now in
            let stored = machine.storedSequence
            let epoch = machine.epoch
            let actions = machine.sinkOpened(head: head, floor: floor, now: now)
            if machine.epoch == epoch { record.duplicateCount += Int(machine.storedSequence - stored) }
            return actions
        }
    }

    package func sink(_ sink: any RelaySink, didStoreThrough id: RecordID) {
        input { $0.stored(through: id, now: $1) }
    }

    package func sink(_ sink: any RelaySink, didRefuse sequence: UInt64, _ refusal: RelayMachine.Refusal) {
        input { $0.refused(sequence, refusal, now: $1) }
    }

    package func sink(_ sink: any RelaySink, didLose reason: String) {
        isConnected = false
        holding?.machine.lost()
        input { $0.sinkLost(reason, now: $1) }
    }

    package func sink(_ sink: any RelaySink, didFail failure: RelaySinkFailure) {
        endReason = RelayFailure.Reason(failure.kind)
        input { machine, _ in machine.sinkFailed(failure.reason) }
    }

    /// Reports a new connection; the sink may be opened again on the one that it has.
    private func isTold(_ engine: EngineDescription, _ head: StreamHead?) -> Bool {
        guard !isConnected, isOpen, ending == nil else { return false }
        isConnected = true
        report(.engineConnected(RelayEngine(engine, head)))
        return true
    }
}
