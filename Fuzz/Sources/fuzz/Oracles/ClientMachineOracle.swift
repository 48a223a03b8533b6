import GenesysLoop

/// The life of a WebSocket client: each byte is an input.
enum ClientMachineOracle {
    fileprivate struct Model {
        var machine: WebSocketClientMachine
        let high: Int
        let low: Int
        /// The inputs that may still come, each at most once.
        var isConnecting = false
        var isOpenTold = false
        var isCloseRequested = false
        var isFinished = false
        var owesWritable = false
    }

    static func complaint(about input: [UInt8]) -> String? {
        var source = FuzzInput(input)
        let high = source.number(below: 300) - 10
        let low = source.number(below: 300) - 10
        var model = Model(
            machine: WebSocketClientMachine(highWaterMark: high, lowWaterMark: low), high: max(1, high),
            low: WebSocketClientMachine.effective(lowWaterMark: low, highWaterMark: high))
        guard model.low >= 0, model.low < model.high else { return "the marks are \(model.low) and \(model.high)" }
        while !source.isExhausted {
            let before = model.machine.state
            if let complaint = model.step(&source) { return "in \(before): \(complaint)" }
        }
        return nil
    }
}

extension ClientMachineOracle.Model {
    mutating func step(_ source: inout FuzzInput) -> String? {
        switch source.byte() % 11 {
        case 0: return perform(machine.openRequested())
        case 1:
            let actions = machine.closeRequested(.normal, reason: "bye")
            if !isCloseRequested, !isFinished, machine.isDelivering { return "it delivers after close()" }
            defer { isCloseRequested = true }
            return perform(actions)
        case 2: machine.pauseRequested()
        case 3: machine.resumeRequested()
        case 4, 5: return send(queued: source.number(below: 400))
        case 6: return perform(machine.linkOpened())
        case 7, 8: return shrink(to: source.number(below: 400))
        case 9: return end(.failed)
        default:
            return end(.closed(CloseCode(rawValue: UInt16(truncatingIfNeeded: source.word())), reason: "over"))
        }
        return consistency()
    }

    private mutating func send(queued: Int) -> String? {
        let isOpen = machine.state == .open
        switch machine.sendRequested(queuedByteCount: queued) {
        case .send: return isOpen && queued < high ? consistency() : "it sends with \(queued) queued"
        case .wouldBlock:
            owesWritable = true
            return isOpen && queued >= high ? consistency() : "it would block with \(queued) queued"
        case .notOpen: return isOpen ? "open, and yet not" : consistency()
        }
    }

    private mutating func shrink(to queued: Int) -> String? {
        let isDue = machine.state == .open && owesWritable && queued <= low
        guard machine.hasRoomToTell(at: queued) == isDue else { return "room at \(queued)" }
        let actions = machine.queueShrank(to: queued)
        guard actions == (isDue ? [.tell(.didBecomeWritable)] : []) else { return "\(actions) at \(queued)" }
        if isDue { owesWritable = false }
        return consistency()
    }

    private mutating func end(_ end: WebSocketClientMachine.End) -> String? {
        let wasOver = isFinished || machine.state == .idle
        let actions = machine.linkEnded(end)
        guard actions == (wasOver ? [] : [.finish]) else { return "\(actions) at the end of the link" }
        return perform(actions)
    }

    private mutating func perform(_ actions: [WebSocketClientMachine.Action]) -> String? {
        for action in actions {
            if isFinished { return "after the end \(action)" }
            switch action {
            case .connect:
                if isConnecting { return "it connects twice" }
                isConnecting = true
            case .tell(.didOpen):
                if isOpenTold || isCloseRequested { return "it opens twice, or too late" }
                isOpenTold = true
            case .tell(.didBecomeWritable): return "room where nothing shrank"
            case .sendClose:
                if !isOpenTold || isCloseRequested { return "it says goodbye twice, or too early" }
            case .finish: isFinished = true
            }
        }
        return consistency()
    }

    private func consistency() -> String? {
        guard case .ended(let end) = machine.state else {
            if isFinished { return "finished, and yet \(machine.state)" }
            if machine.wantsPause && machine.state != .open { return "it pauses while it waits" }
            return machine.isDelivering == (machine.state == .open) ? nil : "it delivers in \(machine.state)"
        }
        if machine.isDelivering || machine.wantsPause { return "it delivers after the end" }
        if isCloseRequested && end == .failed { return "it fails after close()" }
        return isFinished ? nil : "ended without a word"
    }
}
