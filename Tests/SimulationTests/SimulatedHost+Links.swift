@testable import GenesysLoop

/// The ends of a host's connections.
extension SimulatedHost {
    func link(_ id: LinkID) -> NetworkLink? {
        links.first { $0.id == id }
    }

    func startClosing(_ link: NetworkLink, as phase: NetworkLink.Phase) {
        guard link.phase == .open else { return }
        link.phase = phase
        link.deadline = now.instant + .seconds(5)
        if phase == .retired { link.isPaused = false }
        link.sendUp(.close, at: world.time)
    }

    func drop(_ link: NetworkLink) {
        forget(link)
        link.sendUp(.gone, at: world.time)
    }

    func forget(_ link: NetworkLink) {
        link.phase = .gone
        links.removeAll { $0 === link }
    }

    func expire(_ link: NetworkLink) {
        switch link.phase {
        case .connecting: fail(link, LinkEnd(failure: ChannelFailure(reason: .timeout, phase: .upgrade)))
        case .closing: fail(link, LinkEnd(failure: ChannelFailure(reason: .timeout, phase: .close)))
        case .retired: drop(link)
        case .open, .gone: break
        }
    }

    private func fail(_ link: NetworkLink, _ end: LinkEnd) {
        drop(link)
        ended(link, end)
    }

    func ended(_ link: NetworkLink, _ end: LinkEnd) {
        auditor.willEnd(link, end, machine)
        forget(link)
        enqueue(input { $0.linkEnded(link.id, end, now: now) })
    }
}
