internal import GenesysLoop

/// Asks by the lease of an engine who may write, where the engine keeps one.
extension Relay: RelayLeaseStoreDelegate {
    /// The lease, and where it is kept.
    struct Holding {
        let store: any RelayLeaseStore
        var machine: LeaseMachine
    }

    package func sink(_ sink: any RelayLeaseStore, didReadLease lease: LeaseRecord?, head: StreamHead?) {
        leaseInput { $0.read(lease, head: head, now: $1) }
    }

    package func sink(
        _ sink: any RelayLeaseStore, didReplaceLease isReplaced: Bool, current: LeaseRecord?, head: StreamHead?
    ) {
        leaseInput { $0.replaced(isReplaced, current: current, head: head, now: $1) }
    }

    func leaseInput(_ body: (inout LeaseMachine, ClockReading) -> [LeaseMachine.Action]) {
        guard isOpen, ending == nil, holding != nil else { return }
        performPending()
        guard ending == nil, var lease = holding?.machine else { return }
        let watched = lease.watchedOwner
        let actions = body(&lease, loop.now)
        holding?.machine = lease
        for action in actions where ending == nil { perform(action) }
        if watched == nil, let owner = lease.watchedOwner, ending == nil {
            report(.waitingForLease(owner: owner, limit: lease.watchLimit))
        }
        setTimer()
    }

    private func perform(_ action: LeaseMachine.Action) {
        switch action {
        case .read: holding?.store.readLease()
        case .replace(let revision, let record): holding?.store.replaceLease(revision: revision, with: record)
        case .lead(let epoch, let head): opened(head: head, floor: epoch)
        case .refuse(let owner):
            endReason = .leaseHeld
            input { machine, _ in
                machine.sinkFailed("Another relay with this name, “\(owner)”, writes the stream and renews its lease.")
            }
        case .fenced: input { machine, _ in machine.wasFenced() }
        case .dropConnection(let reason):
            isConnected = false
            input { $0.sinkLost(reason, now: $1) }
        }
    }

    /// The relay writes another epoch than its lease says: the lease follows.
    func noteEpoch() {
        guard let epoch = machine.epoch, holding?.machine.epoch != epoch else { return }
        holding?.machine.appendingEpochChanged(epoch)
    }
}
