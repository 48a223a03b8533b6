import Foundation
import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(1)))) struct UVLoopTests {
    @Test func `run returns at once when nothing is open, and may be called again`() throws {
        let loop = try UVLoop()
        loop.run()
        loop.run()
        #expect(loop.isCurrent)
        #expect(!loop.isInPass)
    }

    @Test func `run lasts until the last retained object is released`() throws {
        let loop = try UVLoop()
        let anchor = Anchor(loop)
        loop.retain(anchor)
        var fired = 0
        let probe = TimerProbe(loop) { probe in
            fired += 1
            if fired < 3 { probe.start(after: .milliseconds(1)) } else { anchor.end() }
        }
        probe.start(after: .zero)
        loop.run()
        #expect(fired == 3)
        loop.release(anchor)
        loop.run()
    }

    @Test func `an object that releases itself in a pass lives until the pass ends`() throws {
        let loop = try UVLoop()
        let deaths = Tally()
        var aliveAfterRelease = false
        weak var object: Mortal?
        do {
            let mortal = Mortal(deaths)
            object = mortal
            loop.retain(mortal)
        }
        loop.schedule(
            ClosureTask {
                if let mortal = object { loop.release(mortal) }
                aliveAfterRelease = deaths.value == 0
            })
        loop.run()
        #expect(aliveAfterRelease)
        #expect(deaths.value == 1)
    }

    /// The total; a million with `--all`.
    static let blockCount = ProcessInfo.processInfo.environment["GENESYS_LOOP_ALL"] == "1" ? 1_000_000 : 100_000

    @Test func `a hundred thousand blocks, or a million, from eight threads all run, in order per thread`() throws {
        let loop = try UVLoop()
        let threadCount = 8
        let blockCount = Self.blockCount / threadCount
        let anchor = Anchor(loop)
        final class Log {
            var last = [Int](repeating: -1, count: 8)
            var total = 0
            var isOrdered = true
        }
        let log = Log()
        let bound = LoopBound((log, anchor), on: loop)
        for thread in 0..<threadCount {
            Thread {
                for number in 0..<blockCount {
                    loop.execute {
                        let (log, anchor) = bound.value
                        log.isOrdered = log.isOrdered && log.last[thread] == number - 1
                        log.last[thread] = number
                        log.total += 1
                        if log.total == threadCount * blockCount { anchor.end() }
                    }
                }
            }.start()
        }
        loop.run()
        #expect(log.total == threadCount * blockCount)
        #expect(log.isOrdered)
    }

    @Test func `blocks given before run and inside a block are run before it returns`() throws {
        let loop = try UVLoop()
        let tally = Tally()
        loop.execute {
            tally.add()
            loop.execute {
                tally.add()
                loop.execute { tally.add() }
            }
        }
        loop.run()
        #expect(tally.value == 3)
    }

    @Test func `stop from another thread ends run and closes nothing`() throws {
        let loop = try UVLoop()
        let anchor = Anchor(loop)
        let tally = Tally()
        Thread { loop.stop() }.start()
        loop.run()
        loop.execute { tally.add() }
        loop.execute { loop.stop() }
        loop.run()
        #expect(tally.value == 1)
        anchor.end()
    }

    @Test func `stop in a callback ends run, and a stop before run ends that run at once`() throws {
        let loop = try UVLoop()
        var fired = 0
        let probe = TimerProbe(loop) { probe in
            fired += 1
            probe.start(after: .zero)
            loop.stop()
        }
        probe.start(after: .zero)
        loop.run()
        #expect(fired == 1)
        loop.stop()
        loop.run()
        #expect(fired == 1)
        loop.run()
        #expect(fired == 2)
    }

    @Test func `the loop belongs to the thread that runs it`() throws {
        let loop = try UVLoop()
        let wasCurrent = Tally()
        loop.execute { if loop.isCurrent { wasCurrent.add() } }
        onOtherThread {
            if loop.isCurrent { wasCurrent.add() }
            loop.run()
            if loop.isCurrent { wasCurrent.add() }
        }
        #expect(wasCurrent.value == 2)
        #expect(!loop.isCurrent)
        loop.bindToCurrentThread()
        #expect(loop.isCurrent)
    }

    @Test func `a loop dies with its last reference and takes waiting blocks with it`() throws {
        let deaths = Tally()
        let runs = Tally()
        do {
            let loop = try UVLoop()
            nonisolated(unsafe) let captured = Mortal(deaths)
            loop.execute {
                unsafe withExtendedLifetime(captured) {}
                runs.add()
            }
        }
        #expect(deaths.value == 1)
        #expect(runs.value == 0)
    }

    @Test func `a loop that dies flushes the handles that wait for their close callback`() throws {
        for _ in 0..<20 {
            let loop = try UVLoop()
            let pair = try ConnectedPair(loop)
            pair.client.connection?.write([UInt8](repeating: 1, count: 8 << 20))
            let probe = TimerProbe(loop) { _ in }
            probe.start(after: .seconds(100))
            probe.drop()
            #expect(loop.registry.openCount > 3)
        }
    }

    @Test func `many loops leave no file descriptor behind`() async {
        // In its own process, where no other code opens descriptors.
        await #expect(processExitsWith: .success) {
            func descriptorCount() throws -> Int {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
            }
            func useLoops(_ count: Int) throws {
                for _ in 0..<count {
                    let loop = try UVLoop()
                    _ = try ConnectedPair(loop)
                }
            }
            try useLoops(1)
            let before = try descriptorCount()
            try useLoops(50)
            let after = try descriptorCount()
            // The process may open one for itself; fifty leaked loops would be three hundred.
            precondition(after <= before + 2, "\(before) descriptors before, \(after) after")
        }
    }

    @Test func `both clocks are read`() throws {
        let loop = try UVLoop()
        let (first, second) = (loop.now, loop.now)
        #expect(second.instant >= first.instant)
        #expect(first.wall.seconds > 1_700_000_000)
        #expect(first.instant.nanoseconds > 0)
    }

    @Test func `the two buffers are distinct, 64 KiB each, and the same every time`() throws {
        let loop = try UVLoop()
        let first = unsafe UInt(bitPattern: loop.ciphertextBuffer.baseAddress)
        let second = unsafe UInt(bitPattern: loop.plaintextBuffer.baseAddress)
        #expect(unsafe loop.ciphertextBuffer.count == 65_536 && loop.plaintextBuffer.count == 65_536)
        #expect(max(first, second) - min(first, second) >= 65_536)
        #expect(unsafe UInt(bitPattern: loop.ciphertextBuffer.baseAddress) == first)
    }
}
