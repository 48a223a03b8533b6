import GenesysLoop
import Testing

@testable import GenesysRelay

@Suite struct LeaseMachineTests {
    private let other = LeaseStage.record("other", epoch: 7)

    // MARK: - A newcomer

    @Test func `without a lease one is created, and the relay leads with the epoch behind the head`() {
        var stage = LeaseStage()
        #expect(stage.open() == [.read])
        let actions = stage.read(nil)
        #expect(actions.map(\.compared) == [-1])
        #expect(actions.first?.record?.epoch == 8)
        #expect(actions.first?.record?.owner == "me")
        #expect(stage.accept() == [.lead(epoch: 8, head: stage.head)])
        #expect(stage.machine.state == .leading)
    }

    @Test func `without a lease and a head the first epoch is the Unix time`() {
        var stage = LeaseStage(head: nil)
        _ = stage.open()
        #expect(stage.read(nil).first?.record?.epoch == 1_900_000_000)
        #expect(stage.accept() == [.lead(epoch: 1_900_000_000, head: nil)])
    }

    @Test func `the epoch is also behind that of the lease`() {
        for (lease, expected) in [(5, 8), (7, 8), (12, 13)] as [(UInt64, UInt64)] {
            var stage = LeaseStage()
            _ = stage.open()
            let actions = stage.read(LeaseStage.record("other", epoch: lease, isReleased: true))
            #expect(actions.first?.record?.epoch == expected)
        }
    }

    @Test func `a released lease is taken at once, by its revision`() {
        var stage = LeaseStage()
        _ = stage.open()
        let actions = stage.read(LeaseStage.record("other", epoch: 7, isReleased: true))
        #expect(actions.map(\.compared) == [50])
        #expect(actions.first?.record.map { $0.revision > 50 } == true)
        #expect(stage.accept() == [.lead(epoch: 8, head: stage.head)])
    }

    @Test func `a lease that stands still is taken after the lease and two seconds, and not before`() {
        var stage = LeaseStage()
        _ = stage.open()
        stage.seconds = 0.5
        #expect(stage.machine.watchedOwner == nil)
        #expect(stage.read(other) == [])
        #expect(stage.machine.state == .watching)
        #expect(stage.machine.watchedOwner == "other")
        let (actions, time) = stage.watch(other)
        #expect(abs(time - 12.5) < 0.001, "counted from the first answer")
        #expect(actions.map(\.compared) == [50])
        #expect(actions.first?.record?.epoch == 8)
        #expect(stage.accept() == [.lead(epoch: 8, head: stage.head)])
    }

    @Test(arguments: [
        LeaseStage.record("other", epoch: 7, revision: 51), LeaseStage.record("third", epoch: 8, revision: 50),
    ])
    func `a lease that moves ends the newcomer with the owner's name`(_ moved: LeaseRecord) {
        var stage = LeaseStage()
        _ = stage.open()
        _ = stage.read(other)
        #expect(stage.wait() == [.read])
        #expect(stage.seconds == 2, "a fifth of the lease")
        #expect(stage.read(moved) == [.refuse(owner: moved.owner)])
        #expect(stage.machine.state == .ended)
        #expect(stage.deadline == nil)
    }

    @Test func `a lease that is released or forgotten while it is watched is taken at once`() {
        var released = LeaseStage()
        _ = released.open()
        _ = released.read(other)
        _ = released.wait()
        #expect(
            released.read(LeaseStage.record("other", epoch: 7, revision: 51, isReleased: true)).map(\.compared) == [51])
        var forgotten = LeaseStage()
        _ = forgotten.open()
        _ = forgotten.read(other)
        _ = forgotten.wait()
        #expect(forgotten.read(nil).map(\.compared) == [-1])
    }

    @Test func `an outage of the engine starts the observation anew`() {
        var stage = LeaseStage()
        _ = stage.open()
        _ = stage.read(other)
        #expect(stage.watch(other, until: 11).actions == [])
        #expect(stage.reopen() == [.read])
        let start = stage.seconds
        // The owner renewed meanwhile, unseen.
        let renewed = LeaseStage.record("other", epoch: 7, revision: 53)
        #expect(stage.read(renewed) == [])
        let (actions, time) = stage.watch(renewed)
        #expect(abs(time - start - 12) < 0.001)
        #expect(actions.map(\.compared) == [53])
    }

    @Test func `a newcomer that stood still itself begins the observation anew`() {
        var stage = LeaseStage()
        _ = stage.open() + stage.read(LeaseStage.record("other", epoch: 7))
        #expect(stage.wait(until: 40) == [.read])
        #expect(stage.read(LeaseStage.record("other", epoch: 7, revision: 51)) == [], "it moved while nobody looked")
        #expect(stage.deadline == 42)
    }

    @Test func `who loses the compare-and-set looks again`() {
        var stage = LeaseStage()
        _ = stage.open()
        _ = stage.read(nil)
        #expect(stage.decline(other) == [])
        #expect(stage.machine.state == .watching, "it is new, and may be dead")
        _ = stage.watch(other)
        #expect(stage.decline(LeaseStage.record("other", epoch: 7, revision: 51)) == [.refuse(owner: "other")])
    }

    @Test func `an engine that does not answer is no witness`() {
        var stage = LeaseStage()
        _ = stage.open()
        #expect(stage.wait() == [.dropConnection("the engine does not answer about the lease")])
        #expect(stage.seconds == 2)
        #expect(stage.read(other) == [], "too late")
        #expect(stage.machine.state == .disconnected)
    }

    // MARK: - The owner

    @Test func `the owner renews every third of the lease, with what it covers and the epoch that it writes`() {
        var stage = LeaseStage.leading()
        stage.coveredUntil = WallTime(seconds: 1_900_000_003)
        let first = stage.machine
        let actions = stage.wait()
        #expect(abs(stage.seconds - 10.0 / 3) < 0.001)
        #expect(actions.first?.record?.coveredUntil == stage.coveredUntil)
        #expect(actions.first?.record?.epoch == 8)
        stage.seconds += 0.1
        #expect(stage.accept() == [], "it is told once a connection")
        stage.machine.appendingEpochChanged(9)
        let again = stage.wait()
        #expect(abs(stage.seconds - 10.0 / 3 - 0.1) < 0.001, "at once")
        #expect(again.first?.record?.epoch == 9)
        #expect(again.first?.compared == actions.first?.record.map { Int($0.revision) })
        #expect(first.epoch == 8 && stage.machine.epoch == 9)
    }

    @Test func `a renewal without an answer for a fifth of the lease drops the connection`() {
        var stage = LeaseStage.leading()
        _ = stage.wait()
        let sent = stage.seconds
        #expect(stage.wait() == [.dropConnection("the engine does not answer about the lease")])
        #expect(abs(stage.seconds - sent - 2) < 0.001)
        #expect(stage.accept() == [])
        #expect(stage.deadline == nil)
    }

    @Test func `a process that stood still for too long does not go on without a look at the lease`() {
        var stage = LeaseStage.leading()
        #expect(stage.wait(until: 8) == [.dropConnection("the lease was not renewed in time")])
        _ = stage.reopen()
        #expect(stage.read(LeaseStage.record("third", epoch: 9)) == [.fenced])
        #expect(stage.machine.state == .ended)
    }

    @Test func `after a reconnect it renews its own lease and goes on`() {
        var stage = LeaseStage.leading()
        let actions = stage.wait()
        stage.machine.lost()
        #expect(stage.deadline == nil)
        #expect(stage.machine.opened(now: stage.now) == [.read])
        // The renewal that was under way arrived.
        #expect(stage.read(actions.first?.record).map(\.record?.epoch) == [8])
        #expect(stage.accept() == [.lead(epoch: 8, head: stage.head)])
    }

    @Test func `a take whose answer was lost is still one`() {
        var stage = LeaseStage()
        _ = stage.open()
        let mine = stage.read(nil).first?.record
        _ = stage.reopen()
        #expect(stage.read(mine).map(\.record?.epoch) == [8])
        #expect(stage.accept() == [.lead(epoch: 8, head: stage.head)])
    }

    @Test func `an engine that lost the lease gets it again, with the same epoch`() {
        var stage = LeaseStage.leading()
        _ = stage.wait()
        let actions = stage.decline(nil)
        #expect(actions.map(\.compared) == [-1])
        #expect(actions.first?.record?.epoch == 8)
        #expect(stage.accept() == [])
        _ = stage.reopen()
        #expect(stage.read(nil).map(\.record?.epoch) == [8])
        #expect(stage.accept() == [.lead(epoch: 8, head: stage.head)])
    }

    @Test func `a higher epoch of another owner ends the relay, released or not`() {
        for isReleased in [false, true] {
            let record = LeaseStage.record("third", epoch: 9, isReleased: isReleased)
            var connected = LeaseStage.leading()
            _ = connected.wait()
            #expect(connected.decline(record) == [.fenced])
            var returned = LeaseStage.leading()
            _ = returned.reopen()
            #expect(returned.read(record) == [.fenced])
        }
    }

    @Test func `a lower epoch of another owner is of the past, and replaced`() {
        var stage = LeaseStage.leading()
        _ = stage.wait()
        let actions = stage.decline(other)
        #expect(actions.map(\.compared) == [50])
        #expect(actions.first?.record?.epoch == 8)
    }

    @Test func `two owners of one epoch are told apart by the head`() {
        let rival = LeaseStage.record("third", epoch: 8)
        var mine = LeaseStage.leading()
        mine.head = StreamHead(last: RecordID(epoch: 8, sequence: 4), owner: "me")
        _ = mine.reopen()
        #expect(mine.read(rival).map(\.compared) == [50])
        var theirs = LeaseStage.leading()
        theirs.head = StreamHead(last: RecordID(epoch: 8, sequence: 1), owner: "third")
        _ = theirs.reopen()
        #expect(theirs.read(rival) == [.fenced])
    }

    @Test func `with one epoch and no record of it, the owner of the lease is watched`() {
        let rival = LeaseStage.record("third", epoch: 8)
        var connected = LeaseStage.leading()
        _ = connected.wait()
        #expect(connected.decline(rival) == [.dropConnection("another relay, “third”, has the lease")])
        var alive = connected
        _ = alive.reopen()
        #expect(alive.read(rival) == [])
        _ = alive.wait()
        #expect(alive.read(LeaseStage.record("third", epoch: 8, revision: 51)) == [.fenced])
        var dead = connected
        _ = dead.reopen()
        _ = dead.read(rival)
        #expect(dead.watch(rival).actions.map(\.record?.epoch) == [9], "it may have prepared a record of its epoch")
    }

    @Test func `what the former owner had covered at its last renewal dates the gap`() {
        let covered = WallTime(seconds: 1_899_999_990)
        for (owner, expected) in [("other", covered), ("third", nil)] as [(String, WallTime?)] {
            var stage = LeaseStage()
            _ = stage.open()
            let former = LeaseRecord(owner: owner, epoch: 7, revision: 5, coveredUntil: covered, isReleased: true)
            _ = stage.read(former)
            var head = stage.head
            head?.coveredUntil = expected
            #expect(stage.accept() == [.lead(epoch: 8, head: head)])
        }
    }

    @Test func `two relays that replace one lease write different revisions`() {
        var (first, second) = (LeaseStage(), LeaseStage())
        second.machine = LeaseMachine(owner: "third", lease: .seconds(10), seed: 2)
        _ = first.open()
        _ = second.open()
        let released = LeaseStage.record("other", epoch: 7, isReleased: true)
        let revisions = [first.read(released), second.read(released)].map { $0.first?.record?.revision }
        #expect(revisions[0] != revisions[1], "else one of them could replace what the other has written")
    }

    // MARK: - The end

    @Test func `who ends releases the lease, behind a renewal that is under way`() {
        var idle = LeaseStage.leading()
        let end = WallTime(seconds: 1_900_000_009)
        let held = idle.machine
        let actions = idle.machine.closeRequested(coveredUntil: end)
        #expect(actions.first?.record?.isReleased == true)
        #expect(actions.first?.record?.coveredUntil == end)
        var renewing = LeaseStage.leading()
        renewing.machine = held
        let revision = renewing.wait().first?.record.map { Int($0.revision) }
        #expect(renewing.machine.closeRequested(coveredUntil: end).map(\.compared) == [revision])
        #expect(renewing.accept() == [])
        #expect(renewing.deadline == nil)
        var watching = LeaseStage()
        _ = watching.open()
        _ = watching.read(other)
        #expect(watching.machine.closeRequested(coveredUntil: nil) == [])
        #expect(watching.open() == [])
    }
}
