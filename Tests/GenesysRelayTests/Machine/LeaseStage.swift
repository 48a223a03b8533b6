import GenesysLoop

@testable import GenesysRelay

/// A machine of one relay, its time, and the answers of an engine. The lease is 10 s.
struct LeaseStage {
    var machine = LeaseMachine(owner: "me", lease: .seconds(10), seed: 1)
    var seconds = 0.0
    var head: StreamHead?
    var coveredUntil: WallTime?

    init(head: StreamHead? = StreamHead(last: RecordID(epoch: 7, sequence: 9), owner: "other")) { self.head = head }

    /// A stage that leads with epoch 8.
    static func leading() -> LeaseStage {
        var stage = LeaseStage()
        _ = stage.open()
        _ = stage.read(nil)
        _ = stage.accept()
        return stage
    }

    static func record(_ owner: String, epoch: UInt64, revision: UInt64 = 50, isReleased: Bool = false) -> LeaseRecord {
        LeaseRecord(owner: owner, epoch: epoch, revision: revision, isReleased: isReleased)
    }

    var now: ClockReading {
        let nanoseconds = Int64((seconds * 1e9).rounded())
        return ClockReading(
            instant: Instant(nanoseconds: nanoseconds),
            wall: WallTime(seconds: 1_900_000_000) + .nanoseconds(nanoseconds))
    }

    var deadline: Double? { machine.nextDeadline.map { Double($0.nanoseconds) / 1e9 } }

    /// The lease that the machine wants the engine to have.
    var wanted: LeaseRecord? {
        guard case .replacing(let record) = machine.state else { return nil }
        return record
    }

    mutating func open() -> [LeaseMachine.Action] { machine.opened(now: now) }

    mutating func read(_ record: LeaseRecord?) -> [LeaseMachine.Action] { machine.read(record, head: head, now: now) }

    /// The engine replaces the lease.
    mutating func accept() -> [LeaseMachine.Action] {
        let record = wanted
        return machine.replaced(true, current: record, head: head, now: now)
    }

    /// The engine has another lease.
    mutating func decline(_ record: LeaseRecord?) -> [LeaseMachine.Action] {
        machine.replaced(false, current: record, head: head, now: now)
    }

    mutating func wait(until time: Double? = nil) -> [LeaseMachine.Action] {
        guard let time = time ?? deadline else { return [] }
        seconds = max(seconds, time)
        return machine.deadlineReached(now: now, coveredUntil: coveredUntil)
    }

    /// The connection is lost, and there is another one.
    mutating func reopen() -> [LeaseMachine.Action] {
        machine.lost()
        return machine.opened(now: now)
    }

    /// Polls are answered with the same lease until the machine wants to take it, or says anything else.
    ///
    /// - Returns: what it does, when.
    mutating func watch(_ record: LeaseRecord, until limit: Double = 100) -> (
        actions: [LeaseMachine.Action], at: Double
    ) {
        while let deadline, deadline <= limit {
            let actions = wait()
            guard actions == [.read] else { return (actions, seconds) }
            seconds += 0.1
            let answer = read(record)
            guard answer == [] else { return (answer, seconds) }
        }
        return ([], seconds)
    }
}

extension LeaseMachine.Action {
    /// The lease that is to be written.
    var record: LeaseRecord? { if case .replace(_, let record) = self { record } else { nil } }

    /// What is compared: -1 for "there must be no lease".
    var compared: Int? { if case .replace(let revision, _) = self { revision.map { Int($0) } ?? -1 } else { nil } }
}
