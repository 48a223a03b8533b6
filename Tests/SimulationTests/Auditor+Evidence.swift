import GenesysSimulator

@testable import GenesysLoop

/// What an auditor remembers in order to compare the theory of `LinkEvidence` with the truth.
struct EvidenceAudit {
    /// One message of the service: a copy of it on another link has the same number and time.
    struct Copy: Hashable {
        let number: Int
        let time: VirtualTime
    }

    /// The last question on the current link.
    var question: (link: LinkID?, number: UInt32, askedAt: VirtualTime, isAnswered: Bool) = (nil, .max, 0, false)
    /// The old link of a rollover that ended with a Close frame before it had answered.
    var closed: NetworkLink?
    /// The successor of `closed`.
    var successor: LinkID?
    /// The machine looks for copies: an overlap, or its echo, is in progress.
    var isOverlap = false
    /// The notifications read in the last overlap, by link.
    var copies: [LinkID: Set<Copy>] = [:]
    /// The link that was left when the echo ended.
    var linkLeft: LinkID?
}

/// Checks the sentences E2 to E5 of `LinkEvidence`, and the end of an echo, against what really happened.
extension Auditor {
    /// The machine got a read, or the acceptance of an upgrade.
    func heard(_ link: NetworkLink, isDrained: Bool, _ now: ClockReading, _ machine: ChannelMachine) {
        // After close() no gap is reported.
        guard !isCloseCalled, let evidence = machine.evidence(of: link.id) else { return }
        let arrivedUntil = evidence.arrivedUntil.instant
        let isOld = isDrained && link.truth.isStale
        if isDrained { link.truth.isStale = false }
        guard let time = link.truth.read(at: world.time, now.instant, arrivedUntil: arrivedUntil) else { return }
        if isOld { fail("E5: a read that ended a pause of \(link.id.rawValue) proves \(time.text) s") }
        guard let missing = link.firstMissing, missing.time <= time else { return }
        fail("E2: all of \(link.id.rawValue) until \(time.text) s, but not what was sent at \(missing.time.text) s")
    }

    /// A question that was answered: what the service had sent when it read the ping has arrived.
    func examineAnswer(_ host: SimulatedHost) {
        guard let number = host.machine.current?.evidence.question, let id = host.machine.current?.id else { return }
        if evidence.question.link != id || evidence.question.number != number {
            evidence.question = (id, number, world.time, false)
        }
        guard !evidence.question.isAnswered, host.machine.current?.evidence.isProven == true else { return }
        evidence.question.isAnswered = true
        guard let link = host.link(id) else { return }
        let askedAt = evidence.question.askedAt
        guard let count = link.truth.sentCount(atPingSince: askedAt) else {
            return fail("E3: the question of \(askedAt.text) s is answered, and the service has not read it")
        }
        guard let missing = link.firstMissing, missing.number < count else { return }
        fail(
            "E3: the question of \(askedAt.text) s is answered, but what was sent at \(missing.time.text) s is missing")
    }

    // MARK: - Hand-over

    /// A link ends.
    func willEnd(_ link: NetworkLink, _ end: LinkEnd, _ machine: ChannelMachine) {
        guard let current = machine.current, current.id == link.id else { return }
        guard end.isClean, !current.evidence.isProven, let candidate = machine.candidate else {
            return evidence.closed = nil
        }
        evidence.closed = link
        evidence.successor = candidate.id
    }

    /// A rollover without a gap, whose old link only sent a Close frame: the service had accepted the new one before.
    func examineHandOver(_ actions: [ChannelMachine.Action]) {
        guard let old = evidence.closed, actions.contains(where: \.isRecovery) else { return }
        evidence.closed = nil
        guard !actions.contains(where: \.isGap), let closedAt = old.closedAt else { return }
        if let missing = old.firstMissing { fail("E4: a Close frame before what was sent at \(missing.time.text) s") }
        // A host cannot see that a Close frame waited on a stalled path.
        guard old.stalledUntil <= closedAt else { return }
        guard let next = world.links.first(where: { $0.host == host && $0.id == evidence.successor }) else { return }
        guard let acceptedAt = next.truth.acceptedAt, acceptedAt <= closedAt + next.blindSpan(after: old) else {
            return fail("E4: \(old.id.rawValue) was closed before \(next.id.rawValue) was accepted, and no gap")
        }
    }

    // MARK: - Copies

    /// An overlap begins, or its echo has ended.
    func noteOverlap(_ machine: ChannelMachine) {
        guard evidence.isOverlap != machine.wantsFingerprints else { return }
        evidence.isOverlap = machine.wantsFingerprints
        if evidence.isOverlap { evidence.copies = [:] }
        evidence.linkLeft = evidence.isOverlap ? nil : machine.current?.id
    }

    /// A notification is read: after an echo, the link that is left brings nothing that another one brought before.
    func examineCopy(_ message: [UInt8], on link: NetworkLink) {
        guard evidence.isOverlap || evidence.linkLeft == link.id, let stamp = link.truth.stamp,
            let number = Publications.number(in: message)?.number
        else { return }
        let copy = EvidenceAudit.Copy(number: number, time: stamp.time)
        if evidence.isOverlap {
            evidence.copies[link.id, default: []].insert(copy)
        } else if evidence.copies.contains(where: { $0 != link.id && $1.contains(copy) }) {
            fail("a copy of \(number) of \(stamp.time.text) s after the echo had ended")
        }
    }
}

extension ChannelMachine {
    /// What is known about a link that the machine has.
    func evidence(of link: LinkID) -> LinkEvidence? {
        if current?.id == link { return current?.evidence }
        return candidate?.id == link ? candidate?.evidence : nil
    }
}

extension ChannelMachine.Action {
    fileprivate var isGap: Bool {
        if case .tell(.didMiss) = self { true } else { false }
    }

    fileprivate var isRecovery: Bool {
        guard case .tell(.didRecover(let recovery)) = self else { return false }
        return recovery.method != .extension
    }
}
