import GenesysLoop

@testable import GenesysRelay

/// A machine, its time, and what its engine has in flight.
struct RelayStage {
    var machine: RelayMachine
    var seconds = 0.0
    var actions: [RelayMachine.Action] = []

    init(_ change: (inout RelaySettings) -> Void = { _ in }) {
        var settings = RelaySettings()
        settings.linger = .zero
        change(&settings)
        machine = RelayMachine(name: "test", owner: "me", settings: settings, seed: 1)
    }

    /// A stage whose epoch record is stored.
    static func leading(
        after head: StreamHead? = nil, _ change: (inout RelaySettings) -> Void = { _ in }
    ) -> RelayStage {
        var stage = RelayStage(change)
        stage.do { $0.openRequested(now: $1) }
        stage.do { $0.sinkOpened(head: head, now: $1) }
        stage.store(1)
        stage.actions = []
        return stage
    }

    var now: ClockReading {
        let nanoseconds = Int64((seconds * 1e9).rounded())
        return ClockReading(
            instant: Instant(nanoseconds: nanoseconds),
            wall: WallTime(seconds: 1_900_000_000) + .nanoseconds(nanoseconds))
    }

    var epoch: UInt64 { machine.epoch ?? 0 }

    mutating func `do`(_ body: (inout RelayMachine, ClockReading) -> [RelayMachine.Action]) {
        actions += body(&machine, now)
    }

    /// The source delivers notifications, each a tenth of a second after the one before.
    mutating func receive(_ numbers: ClosedRange<Int>, size: Int = 20) {
        for number in numbers {
            seconds += 0.1
            let data = Array(("{\"n\":\(number)" + String(repeating: " ", count: max(0, size - 8)) + "}").utf8)
            let topic = Array("v2.t".utf8)
            let none: [UInt8] = []
            if machine.received(topic: topic.span, correlation: none.span, data: data.span, now: now) {
                actions += machine.takeActions()
            }
        }
    }

    mutating func store(_ sequence: UInt64) {
        let epoch = epoch
        self.do { $0.stored(through: RecordID(epoch: epoch, sequence: sequence), now: $1) }
    }

    mutating func refuse(_ sequence: UInt64, _ refusal: RelayMachine.Refusal) {
        self.do { $0.refused(sequence, refusal, now: $1) }
    }

    /// Time passes until the next deadline.
    mutating func wait() {
        guard let deadline = machine.nextDeadline else { return }
        seconds = max(seconds, Double(deadline.nanoseconds) / 1e9)
        self.do { $0.deadlineReached(now: $1) }
    }

    mutating func reopen(_ last: RecordID?, owner: String = "me") {
        self.do { $0.sinkLost("gone", now: $1) }
        wait()
        let head = last.map { StreamHead(last: $0, owner: owner) }
        self.do { $0.sinkOpened(head: head, now: $1) }
    }

    mutating func take() -> [RelayMachine.Action] {
        defer { actions = [] }
        return actions
    }

    /// The ids and the data of what is appended, as `SEQUENCE DATA`; the actions are taken.
    mutating func appended() -> [String] {
        take().flatMap { action -> [String] in
            guard case .append(let range) = action else { return [] }
            let batch = machine.batch(range)
            return batch.records.map { "\($0.sequence) \(batch.text(of: .data, in: $0) ?? "")" }
        }
    }

    mutating func events() -> [RelayMachine.Event] {
        take().compactMap { if case .tell(let event) = $0 { event } else { nil } }
    }
}
