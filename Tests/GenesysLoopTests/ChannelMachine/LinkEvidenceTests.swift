import Testing

@testable import GenesysLoop

/// Each sentence of the theory in `LinkEvidence`, E1 to E5.
@Suite struct LinkEvidenceTests {
    /// A link made at 0 s that was read, to the end, at these seconds.
    private func evidence(readAt seconds: Double...) -> LinkEvidence {
        var evidence = LinkEvidence(now: .at(0))
        for second in seconds { evidence.read(isDrained: true, now: .at(second)) }
        return evidence
    }

    private func lapse(from seconds: Double?) -> SubscriptionLapse {
        SubscriptionLapse(from: seconds.map(ClockReading.at), reason: .channelTakenOver)
    }

    // MARK: - E1: received is not sent

    @Test func `a link that was never read has delivered nothing since it was made`() {
        #expect(evidence().arrivedUntil == .at(0))
        #expect(evidence().lastRead == .at(0))
    }

    @Test func `a read does not prove that what was sent at that time has arrived`() {
        #expect(evidence(readAt: 10).arrivedUntil == .at(0))
        #expect(evidence(readAt: 10).lastRead == .at(10))
    }

    // MARK: - E2: a burst proves the time before it

    @Test func `the start of the burst before the last one is proven, on both clocks`() {
        #expect(evidence(readAt: 10, 20).arrivedUntil == .at(10))
        #expect(evidence(readAt: 10, 20, 30).arrivedUntil == .at(20))
    }

    @Test func `reads closer than a second belong to one burst, and its start counts`() {
        #expect(evidence(readAt: 10, 10.4, 10.999).arrivedUntil == .at(0))
        #expect(evidence(readAt: 10, 10.4, 10.999, 20).arrivedUntil == .at(10))
    }

    @Test func `a read a second after the start of a burst begins the next one`() {
        #expect(evidence(readAt: 10, 10.999_999).arrivedUntil == .at(0))
        #expect(evidence(readAt: 10, 11).arrivedUntil == .at(10))
    }

    @Test func `a stream without a break proves all but its last two seconds`() {
        var evidence = evidence()
        for tenth in 1...100 {
            evidence.read(isDrained: true, now: .at(Double(tenth) / 10))
            guard tenth >= 20 else { continue }
            let age = Instant.at(Double(tenth) / 10) - evidence.arrivedUntil.instant
            #expect(age >= .seconds(1) && age < .seconds(2))
        }
    }

    @Test func `a read that leaves something unread is no burst`() {
        var evidence = evidence(readAt: 10)
        evidence.read(isDrained: false, now: .at(20))
        #expect(evidence.arrivedUntil == .at(0))
        #expect(evidence.lastRead == .at(20))
        evidence.read(isDrained: true, now: .at(20.5))
        #expect(evidence.arrivedUntil == .at(10), "the read that empties the socket is one")
    }

    // MARK: - E3: a pong proves everything before its ping

    @Test func `without a question nothing is proven`() {
        var evidence = evidence()
        #expect(!evidence.isProven)
        evidence.pinged()
        #expect(evidence.answered() == false)
        #expect(!evidence.isProven)
    }

    @Test func `the pong of a question is a proof, once`() {
        var evidence = evidence()
        evidence.pinged(isQuestion: true)
        #expect(!evidence.isProven)
        #expect(evidence.answered() == true)
        #expect(evidence.isProven)
        #expect(evidence.answered() == false)
    }

    @Test func `the pong of an earlier ping is not the answer to a question`() {
        var evidence = evidence()
        evidence.pinged()
        evidence.pinged(isQuestion: true)
        #expect(evidence.answered() == false)
        #expect(!evidence.isProven)
        #expect(evidence.answered() == true)
        #expect(evidence.isProven)
    }

    @Test func `a pong without a ping is not counted for a later question`() {
        var evidence = evidence()
        #expect(evidence.answered() == false)
        #expect(evidence.answered() == false)
        evidence.pinged(isQuestion: true)
        #expect(!evidence.isProven)
        #expect(evidence.answered() == true)
    }

    @Test func `a new question needs an answer of its own`() {
        var evidence = evidence()
        evidence.pinged(isQuestion: true)
        evidence.pinged(isQuestion: true)
        #expect(evidence.answered() == false, "the answer to the first question")
        #expect(!evidence.isProven)
        #expect(evidence.answered() == true)
        evidence.pinged(isQuestion: true)
        #expect(!evidence.isProven)
    }

    @Test func `a later ping of the watchdog takes no proof away`() {
        var evidence = evidence()
        evidence.pinged(isQuestion: true)
        #expect(evidence.answered() == true)
        evidence.pinged()
        #expect(evidence.isProven)
        #expect(evidence.answered() == false)
    }

    @Test func `a pong moves no time`() {
        var evidence = evidence(readAt: 10, 20)
        evidence.pinged(isQuestion: true)
        #expect(evidence.answered() == true)
        #expect(evidence.arrivedUntil == .at(10))
    }

    // MARK: - E4: a Close frame proves a hand-over

    private func paused(from start: Double, acceptedAt: Double?) -> LinkEvidence {
        var evidence = evidence()
        evidence.paused(
            Pause(from: .at(start), to: .at(100)), successor: .second, acceptedAt: acceptedAt.map(Instant.at))
        return evidence
    }

    @Test func `a Close frame of a link that was always read proves a hand-over to any successor`() {
        #expect(evidence().provesHandOver(to: .second))
        #expect(evidence().provesHandOver(to: .third))
    }

    @Test func `a Close frame that waited during a pause may be older than an acceptance not read before it`() {
        #expect(!paused(from: 50, acceptedAt: nil).provesHandOver(to: .second))
        #expect(!paused(from: 50, acceptedAt: 70).provesHandOver(to: .second))
    }

    @Test func `an acceptance read well before a pause is older than a Close frame that waited`() {
        #expect(paused(from: 50, acceptedAt: 49.9).provesHandOver(to: .second))
        #expect(!paused(from: 50, acceptedAt: 49.901).provesHandOver(to: .second), "both may have been on their way")
    }

    @Test func `a pause during one rollover says nothing about the next successor`() {
        #expect(paused(from: 50, acceptedAt: nil).provesHandOver(to: .third))
    }

    @Test func `a second pause after the acceptance does not bring the proof back`() {
        var evidence = paused(from: 50, acceptedAt: nil)
        evidence.paused(Pause(from: .at(200), to: .at(300)), successor: .second, acceptedAt: .at(100))
        #expect(!evidence.provesHandOver(to: .second))
    }

    // MARK: - E5: what takes proof away

    @Test func `the read of a backlog is no burst, but the next read is`() {
        var evidence = evidence(readAt: 10, 20)
        evidence.readingStalled()
        #expect(evidence.hasBacklog)
        evidence.read(isDrained: true, now: .at(60))
        #expect(evidence.arrivedUntil == .at(10))
        #expect(!evidence.hasBacklog)
        evidence.read(isDrained: true, now: .at(61))
        #expect(evidence.arrivedUntil == .at(20))
    }

    @Test func `a backlog lasts until a read leaves nothing unread`() {
        var evidence = evidence(readAt: 10, 20)
        evidence.readingStalled()
        for second in [60.0, 62, 64] { evidence.read(isDrained: false, now: .at(second)) }
        #expect(evidence.hasBacklog)
        evidence.read(isDrained: true, now: .at(66))
        #expect(!evidence.hasBacklog)
        #expect(evidence.arrivedUntil == .at(10))
    }

    @Test func `a stalled path moves the start of the gap to the burst before it`() {
        // 40 s of data arrive at once; the path then fails.
        #expect(evidence(readAt: 10, 20, 60, 60.2).arrivedUntil == .at(20))
    }

    @Test func `a subscription that was taken delivers nothing from the notice on, however alive its link is`() {
        var evidence = evidence(readAt: 10, 20)
        evidence.overtaken(lapse(from: 10))
        for second in [30.0, 40, 50] { evidence.read(isDrained: true, now: .at(second)) }
        #expect(evidence.arrivedUntil == .at(40))
        #expect(evidence.deliveredUntil == .at(10))
        evidence.repairing()
        #expect(evidence.lapse == nil)
        #expect(evidence.deliveredUntil == .at(40))
    }

    @Test func `a lapse that missed nothing, or began later, does not move the start of the gap`() {
        var evidence = evidence(readAt: 10, 20)
        evidence.overtaken(lapse(from: nil))
        #expect(evidence.deliveredUntil == .at(10))
        evidence.overtaken(lapse(from: 15))
        #expect(evidence.deliveredUntil == .at(10))
    }

    // MARK: - The record of a link

    private func record(restoringFrom lapses: Double?...) -> LinkRecord {
        var record = LinkRecord(id: .first, endpoint: .original, settings: ChannelSettings(), now: .at(0))
        for (index, from) in lapses.enumerated() {
            record.pending.append(
                PendingCommand(
                    purpose: .restore(lapse(from: from)), topics: ["v2.a"], correlationID: "\(index)",
                    timeout: .seconds(10), now: .at(Double(index))))
        }
        for second in [30.0, 40] { record.heard(isDrained: true, now: .at(second)) }
        return record
    }

    @Test func `a restoration in progress keeps the start of its gap until the service confirms it`() {
        #expect(record().deliveredUntil == .at(30))
        #expect(record(restoringFrom: 20, 10, nil).deliveredUntil == .at(10))
        #expect(record(restoringFrom: nil).deliveredUntil == .at(30))
    }

    @Test func `a link is deprived while something taken from it is not restored`() {
        #expect(!record().isDeprived)
        #expect(!record(restoringFrom: nil).isDeprived, "a refresh restores nothing")
        #expect(record(restoringFrom: nil, 10).isDeprived)
    }

    @Test func `a restoration also settles a refresh, but a refresh settles no takeover`() {
        #expect(record(restoringFrom: 10).isRestoring(after: lapse(from: nil)))
        #expect(record(restoringFrom: 10).isRestoring(after: lapse(from: 5)))
        #expect(record(restoringFrom: nil).isRestoring(after: lapse(from: nil)))
        #expect(!record(restoringFrom: nil).isRestoring(after: lapse(from: 5)))
        #expect(!record().isRestoring(after: lapse(from: nil)))
    }

    @Test func `the first of the commands that are due is the deadline of all`() {
        #expect(record().commandDeadline == nil)
        #expect(record(restoringFrom: nil, nil).commandDeadline == .at(5))
    }
}
