import Foundation
import Testing

@testable import GenesysLoop

/// An actor that runs on a loop.
private actor Resident {
    let loop: UVLoop
    private(set) var log: [Int] = []
    private(set) var wasAlwaysOnLoop = true
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    init(on loop: UVLoop) { self.loop = loop }

    func add(_ number: Int) {
        log.append(number)
        wasAlwaysOnLoop = wasAlwaysOnLoop && loop.isCurrent && loop.isInPass
    }

    /// Returns to the loop once more for each number.
    func add(_ numbers: ClosedRange<Int>) async {
        for number in numbers {
            add(number)
            await Task.yield()
        }
    }

    /// Like a delegate method: called outside of the concurrency runtime.
    nonisolated func heard(_ number: Int) { assumeIsolated { $0.add(number) } }
}

@Suite(.timeLimit(.minutes(patience(1)))) struct ExecutorTests {
    @Test func `an actor's code runs on the loop's thread, inside a pass`() async throws {
        let thread = try LoopThread()
        let resident = Resident(on: thread.loop)
        await resident.add(1)
        await resident.add(2...100)
        #expect(await resident.log == Array(1...100))
        #expect(await resident.wasAlwaysOnLoop)
        await thread.shutdown()
    }

    @Test func `many tasks share an actor without a race, and none is lost`() async throws {
        let thread = try LoopThread()
        let resident = Resident(on: thread.loop)
        await withTaskGroup(of: Void.self) { group in
            for start in 0..<50 { group.addTask { await resident.add(start * 100...start * 100 + 99) } }
        }
        let log = await resident.log
        #expect(log.sorted() == Array(0..<5_000))
        // Those of one task keep their order.
        #expect((0..<50).allSatisfy { task in log.filter { $0 / 100 == task } == Array(task * 100...task * 100 + 99) })
        #expect(await resident.wasAlwaysOnLoop)
        await thread.shutdown()
    }

    @Test func `isolation may be assumed in blocks and callbacks of the loop`() async throws {
        let thread = try LoopThread()
        let resident = Resident(on: thread.loop)
        let loop = thread.loop
        loop.execute {
            #expect(loop.isIsolatingCurrentContext() == true)
            resident.heard(1)
        }
        await resident.add(2)
        #expect(loop.isIsolatingCurrentContext() == false)
        #expect(await resident.log == [1, 2])
        await thread.shutdown()
    }

    @Test func `a task that prefers the loop runs there`() async throws {
        let thread = try LoopThread()
        let loop = thread.loop
        let before = await Task(executorPreference: loop) {
            let before = loop.isCurrent
            await Task.yield()
            return before && loop.isCurrent
        }.value
        #expect(before)
        #expect(await withTaskExecutorPreference(loop) { loop.isCurrent })
        #expect(!loop.isCurrent)
        await thread.shutdown()
    }

    @Test func `jobs wait for run(), which does not return before they ran`() throws {
        let loop = try UVLoop()
        let resident = Resident(on: loop)
        for number in 1...3 { Task(executorPreference: loop) { await resident.add(number) } }
        #expect(loop.mailbox.hasMessages)
        onOtherThread { loop.run() }
        loop.bindToCurrentThread()
        #expect(resident.assumeIsolated { $0.log } == [1, 2, 3])
    }

    @Test func `an actor that is always ready starves neither timers nor sockets`() async throws {
        let thread = try LoopThread()
        let loop = thread.loop
        let hasFired = Tally()
        let busy = Task(executorPreference: loop) {
            var turns = 0
            while hasFired.value == 0 {
                await Task.yield()
                turns += 1
            }
            return turns
        }
        loop.execute {
            let probe = TimerProbe(loop) { _ in }
            // Retains itself until it has fired.
            probe.didFire = { [probe] _ in
                hasFired.add()
                probe.drop()
                probe.didFire = { _ in }
            }
            probe.start(after: .milliseconds(5))
        }
        #expect(await busy.value > 1)
        await thread.shutdown()
    }

    @Test func `a flood of blocks is run in portions, in order`() throws {
        let loop = try UVLoop()
        final class Log {
            var numbers: [Int] = []
            var countAtTimer: Int?
        }
        let log = Log()
        let bound = LoopBound(log, on: loop)
        for number in 0..<5_000 { loop.execute { bound.value.numbers.append(number) } }
        let probe = TimerProbe(loop) { _ in log.countAtTimer = log.numbers.count }
        probe.start(after: .zero)
        let start = loop.now.instant
        // The timer is due when the loop begins.
        while loop.now.instant - start < .milliseconds(2) {}
        loop.run()
        #expect(log.numbers == Array(0..<5_000))
        #expect(try #require(log.countAtTimer) < 5_000)
    }

    @Test func `blocks that come while a flood is run in portions are not forgotten`() throws {
        let loop = try UVLoop()
        let anchor = Anchor(loop)
        let bound = LoopBound(anchor, on: loop)
        for number in 0..<1_500 {
            loop.execute {
                if number == 1_400 { loop.execute { bound.value.end() } }
            }
        }
        loop.run()
        #expect(loop.openObjects.isEmpty)
    }

    @Test func `an adopted loop is an executor, too`() async throws {
        await #expect(processExitsWith: .success) {
            let foreign = ForeignLoop()
            let loop = try unsafe UVLoop(adopting: foreign.raw)
            let anchor = Anchor(loop)
            let resident = Resident(on: loop)
            let bound = LoopBound(anchor, on: loop)
            Task {
                await resident.add(1...10)
                let log = await resident.log
                loop.execute { bound.value.end() }
                guard log == Array(1...10) else { exit(1) }
            }
            guard !foreign.run() else { exit(2) }
            loop.detach {}
            guard !foreign.run(), foreign.close() == 0 else { exit(3) }
        }
    }
}

@Suite(.timeLimit(.minutes(patience(2)))) struct ExecutorMisuseTests {
    private func text(_ result: ExitTest.Result?) -> String {
        String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    }

    @Test func `assuming isolation on another thread traps`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let loop = try UVLoop()
            let resident = Resident(on: loop)
            onOtherThread { resident.heard(1) }
        }
        #expect(text(result).contains("executor"))
    }

    @Test func `the check of isolation traps with a sentence`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let loop = try UVLoop()
            onOtherThread { loop.checkIsolated() }
        }
        #expect(text(result).contains("Code of an actor on an event loop was called on a thread that is not its"))
    }

    @Test func `a job that comes after the detachment ends the process with a sentence`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let foreign = ForeignLoop()
            let loop = try unsafe UVLoop(adopting: foreign.raw)
            let resident = Resident(on: loop)
            loop.detach {}
            _ = foreign.run()
            await resident.add(1)
        }
        #expect(text(result).contains("A job of an actor or a task came to a UVLoop after detach(completion:)"))
    }

    @Test func `a loop that is released under a waiting job ends the process with a sentence`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            @safe actor Forgetful {
                private let executor: UnownedSerialExecutor
                nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor }
                init(on loop: UVLoop) { unsafe executor = loop.asUnownedSerialExecutor() }
                private var count = 0
                // Without work the compiler omits the hop.
                func work() { count += 1 }
            }
            var loop: UVLoop? = try UVLoop()
            guard let forgetful = loop.map({ Forgetful(on: $0) }) else { return }
            Task { await forgetful.work() }
            while loop?.mailbox.hasMessages == false {}
            loop = nil
        }
        #expect(text(result).contains("A UVLoop was released while a job of an actor waited on it"))
    }
}
