import Testing

@testable import GenesysLoop

@Suite struct WebSocketClientMachineTests {
    typealias Machine = WebSocketClientMachine

    /// A machine in each state, reached in the way of a client.
    static func machine(_ state: Machine.State) -> Machine {
        var machine = Machine(highWaterMark: 100, lowWaterMark: 10)
        if state == .idle { return machine }
        #expect(machine.openRequested() == [.connect])
        switch state {
        case .idle, .connecting: break
        case .open: #expect(machine.linkOpened() == [.tell(.didOpen)])
        case .closing:
            _ = machine.linkOpened()
            #expect(machine.closeRequested(.normal, reason: "r") == [.sendClose(.normal, reason: "r")])
        case .ended(let end):
            _ = machine.linkOpened()
            #expect(machine.linkEnded(end) == [.finish])
        }
        #expect(machine.state == state)
        return machine
    }

    static let goodbye = Machine.End.closed(.goingAway, reason: "bye")
    static let states: [Machine.State] = [
        .idle, .connecting, .open, .closing, .ended(.failed), .ended(goodbye),
    ]

    @Test(arguments: zip(states, [[.connect], [], [], [], [], []] as [[Machine.Action]]))
    func `only the first open connects`(state: Machine.State, expected: [Machine.Action]) {
        var machine = Self.machine(state)
        #expect(machine.openRequested() == expected)
    }

    @Test(
        arguments: zip(
            states,
            [
                ([.finish], .ended(.abandoned)), ([.finish], .ended(.abandoned)),
                ([.sendClose(.normal, reason: "")], .closing), ([], .closing), ([], .ended(.abandoned)),
                ([], .ended(goodbye)),
            ] as [([Machine.Action], Machine.State)]))
    func `a close ends what is not open, says goodbye where it is, and overtakes a failure`(
        state: Machine.State, expected: ([Machine.Action], Machine.State)
    ) {
        var machine = Self.machine(state)
        #expect(machine.closeRequested(.normal, reason: "") == expected.0)
        #expect(machine.state == expected.1)
        #expect(!machine.isDelivering)
    }

    @Test(arguments: states) func `the upgrade counts only for a client that waits for it`(state: Machine.State) {
        var machine = Self.machine(state)
        #expect(machine.linkOpened() == (state == .connecting ? [.tell(.didOpen)] : []))
        #expect(machine.isDelivering == (state == .connecting || state == .open))
    }

    @Test(
        arguments: zip(
            states,
            [
                (.idle, .idle), (.ended(.failed), .ended(goodbye)), (.ended(.failed), .ended(goodbye)),
                (.ended(.abandoned), .ended(goodbye)), (.ended(.failed), .ended(.failed)),
                (.ended(goodbye), .ended(goodbye)),
            ] as [(Machine.State, Machine.State)]))
    func `the end of the link is told once, and after a close it is no failure`(
        state: Machine.State, expected: (Machine.State, Machine.State)
    ) {
        for (end, result) in [(Machine.End.failed, expected.0), (Self.goodbye, expected.1)] {
            var machine = Self.machine(state)
            let actions = machine.linkEnded(end)
            #expect(machine.state == result)
            #expect(actions == (machine.state == state ? [] : [.finish]))
        }
    }

    @Test(arguments: states) func `only an open client sends`(state: Machine.State) {
        var machine = Self.machine(state)
        #expect(machine.sendRequested(queuedByteCount: 0) == (state == .open ? .send : .notOpen))
    }

    @Test(arguments: states) func `only an open client pauses, and it remembers what was asked before`(
        state: Machine.State
    ) {
        var machine = Self.machine(state)
        machine.pauseRequested()
        #expect(machine.wantsPause == (state == .open))
        _ = machine.openRequested()
        _ = machine.linkOpened()
        #expect(machine.wantsPause == machine.isDelivering)
        machine.resumeRequested()
        #expect(!machine.wantsPause)
    }

    @Test func `at the high mark nothing is taken, and at the low one that is told once`() {
        var machine = Self.machine(.open)
        #expect(machine.sendRequested(queuedByteCount: 99) == .send)
        #expect(machine.queueShrank(to: 0) == [], "nothing was refused")
        #expect(machine.sendRequested(queuedByteCount: 100) == .wouldBlock)
        #expect(machine.queueShrank(to: 11) == [])
        #expect(machine.queueShrank(to: 10) == [.tell(.didBecomeWritable)])
        #expect(machine.queueShrank(to: 0) == [])
        #expect(machine.sendRequested(queuedByteCount: 200) == .wouldBlock)
        _ = machine.closeRequested(.normal, reason: "")
        #expect(machine.queueShrank(to: 0) == [])
    }

    @Test(arguments: [(100, 100, 99), (100, 500, 99), (100, -1, 0), (1, 1, 0), (0, 0, 0), (-5, 3, 0)])
    func `marks that make no sense are mended, so that a client can always send again`(
        high: Int, low: Int, effective: Int
    ) {
        #expect(Machine.effective(lowWaterMark: low, highWaterMark: high) == effective)
        var machine = Machine(highWaterMark: high, lowWaterMark: low)
        _ = machine.openRequested()
        _ = machine.linkOpened()
        #expect(machine.sendRequested(queuedByteCount: 0) == .send)
        #expect(machine.sendRequested(queuedByteCount: max(1, high)) == .wouldBlock)
        #expect(machine.queueShrank(to: effective) == [.tell(.didBecomeWritable)])
        #expect(machine.sendRequested(queuedByteCount: effective) == .send)
    }
}
