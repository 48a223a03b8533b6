@testable import GenesysLoop

extension SimulatedHost {
    /// A contradiction between the machine, its driver and its bounds; nil if there is none.
    var contradiction: String? {
        linkContradiction ?? timerContradiction ?? boundContradiction ?? darkness
    }

    private var linkContradiction: String? {
        let known = [machine.current?.id, machine.candidate?.id].compactMap(\.self)
        let alive = links.filter { $0.phase != .retired }.map(\.id)
        if Set(known) != Set(alive) { return "the machine knows \(known), alive are \(alive)" }
        let isOverlap: Bool
        switch machine.state {
        case .rollingOver, .draining, .closing: isOverlap = true
        case .idle, .waiting, .attempting, .live, .handedOver, .ended: isOverlap = false
        }
        return alive.count > (isOverlap ? 2 : 1) ? "\(alive.count) links in \(machine.state)" : nil
    }

    private var timerContradiction: String? {
        let deadline = machine.nextDeadline
        let limit: Duration
        switch machine.state {
        case .idle, .ended: return deadline == nil ? nil : "a deadline in \(machine.state)"
        case .waiting: limit = .seconds(91)
        case .closing: limit = .seconds(5)
        case .attempting:
            guard !machine.isPaused, machine.candidate?.openedAt != nil else { return nil }
            limit = .seconds(36)
        case .live, .rollingOver:
            guard !machine.isPaused else { return nil }
            limit = .seconds(36)
        case .handedOver:
            guard !machine.isPaused || machine.candidate?.openedAt == nil else { return nil }
            limit = .seconds(36)
        case .draining:
            guard !machine.isPaused else { return nil }
            limit = .seconds(1)
        }
        guard let deadline else { return "no deadline in \(machine.state)" }
        return deadline - now.instant > limit ? "a deadline \(deadline - now.instant) ahead in \(machine.state)" : nil
    }

    private var boundContradiction: String? {
        let pending = (machine.current?.pending.count ?? 0) + (machine.candidate?.pending.count ?? 0)
        if pending > 24 { return "\(pending) commands wait for their answer" }
        if machine.overlap.heldByteCount > machine.settings.maxHeldByteCount + 1_000 { return "too much is held back" }
        if machine.overlap.deduplicator.rememberedCount > machine.overlap.deduplicator.capacity {
            return "too much is remembered"
        }
        if machine.state == .live, machine.overlap.echoDeadline == nil, machine.wantsFingerprints {
            return "copies are looked for without end"
        }
        if !held.isEmpty, !machine.isPaused {
            switch machine.state {
            case .rollingOver, .draining: break
            case .live where held.keys.allSatisfy(machine.isHolding): break
            default: return "messages are held back in \(machine.state)"
            }
        }
        return nil
    }

    /// A dead path is detected within 43 seconds by a host that is not blocked.
    private var darkness: String? {
        guard world.scenario.profile.isHostPrompt, machine.state == .live, let id = machine.current?.id else {
            return nil
        }
        guard let link = links.first(where: { $0.id == id }), let since = link.darkSince else { return nil }
        let silence = world.time - max(since, link.lastReadAt)
        // A drained link has one second extra at its start.
        return silence > .seconds(44) ? "silent for \(silence.text) s and still trusted" : nil
    }
}
