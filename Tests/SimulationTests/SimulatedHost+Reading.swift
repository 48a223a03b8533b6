@testable import GenesysLoop

/// A host's reads from its connections.
extension SimulatedHost {
    func read(_ link: NetworkLink) {
        guard link.phase != .retired else { return discardInput(of: link) }
        let now = now
        var isHeard = false
        var budget = world.scenario.batch
        isReading = true
        isDirect = machine.deliversDirectly(on: link.id)
        while budget > 0, link.readableAt <= world.time, link.phase != .retired {
            budget -= 1
            let before = generation
            let packet = link.down.removeFirst()
            let content = packet.content
            if !isHeard, content.isHeard {
                isHeard = true
                link.lastReadAt = world.time
                let isDrained = link.takesAll(after: packet.arrival, budget, at: world.time)
                input { $0.bytesReceived(on: link.id, isDrained: isDrained, now: now) }
                auditor.heard(link, isDrained: isDrained, now, machine)
            }
            link.truth.stamp = packet.stamp
            meet(content, on: link, now)
            guard generation != before else { continue }
            performPending()
            isDirect = machine.deliversDirectly(on: link.id)
        }
        isReading = false
        advance()
    }

    private func meet(_ content: NetworkLink.Down, on link: NetworkLink, _ now: ClockReading) {
        switch content {
        case .accepted:
            link.phase = .open
            link.deadline = nil
            link.lastReadAt = world.time
            let actions = input { $0.linkOpened(link.id, now: now) }
            auditor.heard(link, isDrained: true, now, machine)
            enqueue(actions)
        case .message(let bytes):
            receive(bytes, on: link, now)
        case .binary:
            discard()
        case .close(let code):
            let phase: ChannelFailure.Phase = link.phase == .open ? .open : .close
            let failure = ChannelFailure(reason: .connectionClosed, phase: phase)
            ended(link, LinkEnd(failure: failure, closeCode: code))
        case .end(let end):
            ended(link, end)
        }
    }

    private func discardInput(of link: NetworkLink) {
        while link.readableAt <= world.time {
            switch link.down.removeFirst().content {
            case .accepted, .message, .binary: break
            case .close, .end: forget(link)
            }
        }
        advance()
    }
}

extension NetworkLink.Down {
    /// Whether its bytes reach the channel.
    var isHeard: Bool {
        switch self {
        case .message, .binary, .close: true
        case .accepted, .end: false
        }
    }
}
