import GenesysLoop
import Testing

@testable import GenesysRelay

@Suite struct RelayMachineTests {
    @Test func `the first epoch of an empty stream is the Unix time, and nothing goes before its record`() {
        var stage = RelayStage()
        stage.do { $0.openRequested(now: $1) }
        #expect(stage.take() == [.openSink])
        stage.receive(1...2)
        stage.do { $0.sinkOpened(head: nil, now: $1) }
        #expect(stage.machine.epoch == 1_900_000_000)
        #expect(stage.appended() == ["1 {\"epoch\":1900000000,\"owner\":\"me\"}"])
        stage.store(1)
        #expect(stage.actions.prefix(2) == [.tell(.leading(epoch: 1_900_000_000)), .openSource])
        #expect(stage.appended().map { $0.prefix(8) } == ["2 {\"n\":1", "3 {\"n\":2"])
    }

    @Test func `the next epoch is one above the head, or that of the lease`() {
        let head = StreamHead(last: RecordID(epoch: 7, sequence: 9), owner: "other")
        #expect(RelayStage.leading(after: head).machine.epoch == 8)
        var stage = RelayStage()
        stage.do { $0.openRequested(now: $1) }
        stage.do { $0.sinkOpened(head: head, floor: 12, now: $1) }
        #expect(stage.machine.epoch == 12)
    }

    @Test func `a higher epoch of the lease begins after a reconnect, and what is not stored moves to it`() {
        var stage = RelayStage.leading()
        stage.receive(1...2)
        let receivedAt = stage.now.wall
        stage.actions = []
        stage.do { $0.sinkLost("gone", now: $1) }
        stage.wait()
        stage.machine.sourceHeard(at: stage.now.wall, now: stage.now.wall)
        let head = StreamHead(last: RecordID(epoch: stage.epoch, sequence: 2), owner: "me")
        stage.do { $0.sinkOpened(head: head, floor: 1_900_000_007, now: $1) }
        #expect(stage.machine.epoch == 1_900_000_007)
        #expect(stage.machine.coveredUntil == receivedAt, "the second is not stored")
        let first = stage.appended().first ?? ""
        #expect(first.hasPrefix("1 {\"epoch\":1900000007,\"owner\":\"me\",\"previous\":{\"epoch\":1900000000,"))
        stage.store(1)
        #expect(stage.appended().map { $0.prefix(8) } == ["2 {\"n\":2"])
    }

    @Test func `an engine that is not there, or refuses for now, is told once for each outage`() {
        var stage = RelayStage()
        stage.do { $0.openRequested(now: $1) }
        for reason in ["refused", "no such name"] {
            stage.do { $0.sinkLost(reason, now: $1) }
            stage.wait()
        }
        #expect(stage.events() == [.engineUnavailable("refused")])
        stage.do { $0.sinkOpened(head: nil, now: $1) }
        stage.refuse(1, .busy("loading"))
        stage.wait()
        #expect(stage.events() == [.engineUnavailable("loading")])
        stage.store(1)
        for number in 1...2 {
            stage.receive(number...number)
            for _ in 0..<3 {
                stage.refuse(UInt64(number) + 1, .busy("full"))
                stage.wait()
            }
            #expect(stage.events().suffix(1) == [.engineUnavailable("full")])
            stage.store(UInt64(number) + 1)
            #expect(stage.events() == [])
        }
        stage.reopen(RecordID(epoch: stage.epoch, sequence: 3))
        stage.do { $0.sinkLost("gone", now: $1) }
        stage.wait()
        stage.do { $0.sinkLost("refused", now: $1) }
        #expect(stage.events() == [.engineLost("gone"), .engineLost("gone")])
    }

    @Test func `a relay whose lease is lost ends`() {
        var stage = RelayStage.leading()
        stage.receive(1...2)
        stage.actions = []
        stage.do { machine, _ in machine.wasFenced() }
        #expect(stage.actions.first == .tell(.fenced))
        #expect(stage.actions.last == .finish(.fenced(undelivered: 2)))
        stage.actions = []
        stage.do { machine, _ in machine.wasFenced() }
        #expect(stage.actions == [])
    }

    @Test func `a writer that ended without a word leaves a gap until the source is confirmed`() {
        let covered = WallTime(seconds: 1_899_999_000)
        for (isReleased, reason) in [(false, "crash"), (true, "startup")] {
            var stage = RelayStage.leading(
                after: StreamHead(
                    last: RecordID(epoch: 7, sequence: 9), owner: "other", coveredUntil: covered,
                    isReleased: isReleased))
            stage.seconds = 2
            stage.do { $0.sourceConfirmed(now: $1) }
            stage.wait()
            #expect(
                stage.appended() == [
                    "2 {\"from\":\"2030-03-17T17:30:00.000000Z\",\"to\":\"2030-03-17T17:46:42.000000Z\","
                        + "\"reason\":\"\(reason)\",\"topics\":\"all\"}"
                ])
        }
    }

    @Test func `a batch waits for its linger, and not longer`() {
        var stage = RelayStage.leading { $0.linger = .milliseconds(500) }
        stage.receive(1...3)
        #expect(stage.actions.isEmpty)
        stage.wait()
        #expect(abs(stage.seconds - 0.6) < 0.001)
        #expect(stage.appended().count == 3)
    }

    @Test func `a batch has at most its bytes, and a larger record is one by itself`() {
        var stage = RelayStage.leading {
            $0.linger = .seconds(1)
            $0.batchBytes = 700
        }
        stage.receive(1...2)
        stage.receive(3...3, size: 2_000)
        stage.wait()
        let counts = stage.take().compactMap { if case .append(let range) = $0 { range.count } else { nil } }
        #expect(counts == [2, 1])
    }

    @Test func `what is in flight is bounded, and an acknowledgement makes room`() {
        var stage = RelayStage.leading { $0.inFlightBytes = 320 }
        stage.receive(1...5)
        #expect(stage.appended().count == 2)
        #expect(stage.machine.nextDeadline.map { $0 > stage.now.instant } ?? true)
        stage.store(2)
        #expect(stage.appended().map { $0.prefix(1) } == ["4"])
    }

    @Test func `after a reconnect all that is not acknowledged is sent again under the same ids`() {
        var stage = RelayStage.leading()
        stage.receive(1...4)
        let before = stage.appended()
        stage.store(2)
        stage.reopen(RecordID(epoch: stage.epoch, sequence: 3))
        #expect(stage.machine.storedSequence == 3)
        #expect(stage.appended() == Array(before.suffix(2)))
    }

    @Test func `an engine that is behind lost records: a new epoch begins with a gap that names them`() {
        var stage = RelayStage.leading()
        stage.receive(1...4)
        stage.store(4)
        let epoch = stage.epoch
        stage.actions = []
        stage.reopen(RecordID(epoch: epoch, sequence: 2))
        #expect(stage.machine.epoch == epoch + 1)
        let lost = RelayGap.LostRecords(epoch: epoch, sequences: 3...4)
        #expect(stage.actions.contains(.tell(.engineRolledBack(lost))))
        #expect(stage.appended().map { $0.prefix(10) } == ["1 {\"epoch\""])
        stage.store(1)
        let appended = stage.appended()
        #expect(appended.first?.hasSuffix("\"topics\":\"all\",\"epoch\":\(epoch),\"sequences\":[3,4]}") ?? false)
        #expect(appended.first?.contains("\"reason\":\"engineLost\"") ?? false)
        #expect(appended.dropFirst().map { $0.prefix(8) } == ["3 {\"n\":4"])
    }

    @Test func `an empty engine lost everything, the epoch record included`() {
        var stage = RelayStage.leading()
        stage.receive(1...2)
        stage.store(3)
        let epoch = stage.epoch
        stage.actions = []
        stage.reopen(nil)
        #expect(stage.events().contains(.engineRolledBack(.init(epoch: epoch, sequences: 1...3))))
    }

    @Test func `a refused hole below what is stored makes it read the head again`() {
        var stage = RelayStage.leading()
        stage.receive(1...3)
        stage.store(3)
        stage.actions = []
        stage.refuse(4, .hole(wanted: 2))
        #expect(stage.take() == [.openSink])
        let epoch = stage.epoch
        stage.do { $0.sinkOpened(head: StreamHead(last: RecordID(epoch: epoch, sequence: 1), owner: "me"), now: $1) }
        #expect(stage.events().contains(.engineRolledBack(.init(epoch: epoch, sequences: 2...3))))
    }

    @Test func `a newer writer, or another one of the epoch, ends it`() {
        for (epochs, owner) in [(1, "me"), (0, "other")] as [(UInt64, String)] {
            var stage = RelayStage.leading()
            stage.receive(1...1)
            stage.actions = []
            stage.reopen(RecordID(epoch: stage.epoch + epochs, sequence: 1), owner: owner)
            #expect(stage.actions.contains(.tell(.fenced)))
            #expect(stage.actions.last == .finish(.fenced(undelivered: 1)))
        }
    }

    @Test func `a full queue drops the oldest that were never sent, and a gap record has their numbers`() {
        var stage = RelayStage.leading {
            $0.queueBytes = 1_000
            $0.inFlightBytes = 320
            $0.overflow = .dropOldest
        }
        // Two of them are sent and stay; each counts 151 bytes.
        stage.receive(1...10)
        #expect(stage.events() == [.overflow])
        #expect(stage.machine.queueSize <= 1_000)
        stage.store(3)
        #expect(stage.actions.first == .tell(.dropped(4...7)))
        let appended = stage.appended()
        #expect(appended.first?.hasPrefix("8 ") ?? false)
        #expect(appended.first?.hasSuffix("\"reason\":\"overflow\",\"topics\":\"all\",\"sequences\":[4,7]}") ?? false)
        #expect(appended.dropFirst().map { $0.prefix(8) } == ["9 {\"n\":7"])
    }

    @Test func `a full queue pauses the source until half of it is free`() {
        var stage = RelayStage.leading { $0.queueBytes = 1_000 }
        stage.receive(1...7)
        #expect(stage.take().suffix(2) == [.tell(.overflow), .pauseSource])
        stage.store(4)
        #expect(!stage.take().contains(.resumeSource))
        stage.store(8)
        #expect(stage.take().first == .resumeSource)
    }

    @Test func `a pause ends after its limit, and then the oldest are dropped`() {
        var stage = RelayStage.leading { $0.queueBytes = 1_000 }
        stage.receive(1...8)
        stage.actions = []
        stage.wait()
        #expect(abs(stage.seconds - 10.7) < 0.001)
        #expect(stage.take() == [.resumeSource])
        #expect(stage.machine.queueSize <= 1_000)
    }

    @Test func `a record that is refused for good is a dead letter, and the good ones go on`() throws {
        var stage = RelayStage.leading()
        stage.receive(1...3)
        stage.actions = []
        stage.refuse(3, .permanent("too large"))
        guard case .deadLetter(let line) = stage.actions.first else {
            Issue.record("\(stage.actions)")
            return
        }
        let text = String(decoding: line, as: UTF8.self)
        #expect(text.hasPrefix("{\"id\":\"1900000000.00000000000000000003\",\"type\":\"genesys.notification\""))
        #expect(text.hasSuffix(",\"refused\":\"too large\"}\n"))
        #expect(stage.machine.storedSequence == 2)
        let appended = stage.appended()
        #expect(appended.first?.hasPrefix("4 ") ?? false)
        #expect(appended.first?.hasSuffix("\"reason\":\"refused\",\"topics\":\"all\",\"sequences\":[3,3]}") ?? false)
        #expect(appended.last?.hasPrefix("5 {\"n\":3") ?? false)
    }

    @Test func `a refused record whose followers were under way before begins an epoch: they keep their numbers`() {
        var stage = RelayStage.leading()
        stage.receive(1...3)
        stage.do { $0.sinkLost("gone", now: $1) }
        stage.wait()
        stage.reopen(RecordID(epoch: stage.epoch, sequence: 2))
        stage.actions = []
        stage.refuse(3, .permanent("too large"))
        #expect(stage.machine.epoch == 1_900_000_001)
        var appended = stage.appended()
        stage.store(1)
        appended += stage.appended()
        let range = "\"reason\":\"refused\",\"topics\":\"all\",\"epoch\":1900000000,\"sequences\":[3,3]}"
        #expect(appended.count == 3, "\(appended)")
        #expect(appended.first?.hasPrefix("1 {\"epoch\":1900000001") ?? false, "\(appended)")
        #expect(appended.contains { $0.hasPrefix("2 ") && $0.hasSuffix(range) }, "\(appended)")
        #expect(appended.last?.hasPrefix("3 {\"n\":3") ?? false)
        // Without a doubt the epoch goes on.
        stage = RelayStage.leading()
        stage.receive(1...2)
        stage.do { $0.sinkLost("gone", now: $1) }
        stage.wait()
        stage.reopen(RecordID(epoch: stage.epoch, sequence: 2))
        stage.refuse(3, .permanent("too large"))
        #expect(stage.machine.epoch == 1_900_000_000)
    }

    @Test(arguments: [
        "9007199254740992.00000000000000000001", "7.00000000000000000000", "7.09007199254740992000", "7.1",
    ])
    func `an id with numbers that no relay writes is none`(text: String) {
        #expect(RecordID(text) == nil)
        #expect(RecordID("9007199254740991.00009007199254740991") != nil)
    }

    @Test func `a record that is refused for now is sent again, and nothing goes before it`() {
        var stage = RelayStage.leading()
        stage.receive(1...2)
        let before = stage.appended()
        stage.refuse(2, .busy("OOM"))
        stage.receive(3...3)
        #expect(stage.actions == [.tell(.engineUnavailable("OOM"))])
        stage.wait()
        #expect(stage.appended().prefix(2) == before[...])
    }

    @Test func `covered is what is stored, up to the last byte of the source`() {
        var stage = RelayStage.leading()
        stage.do { $0.sourceConfirmed(now: $1) }
        stage.receive(1...2)
        let first = WallTime(seconds: 1_900_000_000) + .milliseconds(100)
        #expect(stage.machine.coveredUntil == first)
        stage.store(3)
        #expect(stage.machine.coveredUntil == first + .milliseconds(100))
        let heard = first + .seconds(5)
        stage.machine.sourceHeard(at: heard, now: heard)
        #expect(stage.machine.coveredUntil == heard)
        stage.machine.sourceHeard(at: first, now: first + .seconds(1))
        #expect(stage.machine.coveredUntil == first + .seconds(1), "the clock was set back")
    }

    @Test func `an alive record follows 15 s without a notification`() {
        var stage = RelayStage.leading()
        stage.receive(1...1)
        stage.store(2)
        stage.actions = []
        stage.wait()
        #expect(abs(stage.seconds - 15.1) < 0.001)
        stage.wait()
        #expect(stage.appended() == ["3 {\"coveredUntil\":\"2030-03-17T17:46:40.100000Z\"}"])
    }

    @Test func `the end waits until all is stored, but not longer than its limit`() {
        var stage = RelayStage.leading()
        stage.receive(1...1)
        stage.actions = []
        var late = stage
        stage.do { $0.closeRequested(now: $1) }
        stage.store(2)
        #expect(stage.actions.first == .tell(.drained))
        #expect(stage.actions.last == .finish(.drained))
        late.do { $0.closeRequested(now: $1) }
        late.wait()
        #expect(abs(late.seconds - 10.1) < 0.001)
        #expect(late.actions.last == .finish(.undelivered(1)))
    }

    @Test func `an engine that is not there in time ends it, with the last reason`() {
        var stage = RelayStage { $0.startLimit = .seconds(1) }
        stage.do { $0.openRequested(now: $1) }
        stage.do { $0.sinkLost("connection refused", now: $1) }
        while stage.machine.state != .ended, stage.seconds < 5 {
            stage.wait()
            if stage.machine.state == .opening { stage.do { $0.sinkLost("connection refused", now: $1) } }
        }
        #expect(stage.actions.last == .finish(.unreachable("connection refused")))
        #expect(stage.seconds == 1)
    }
}
