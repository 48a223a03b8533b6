import Foundation
import Testing

@testable import GenesysLoop

/// A loop on a thread of its own. Every wait is for the thread itself.
@Suite(.timeLimit(.minutes(patience(1)))) struct LoopThreadTests {
    @Test func `blocks run on the loop's thread, in order, also while nothing is open`() throws {
        let thread = try LoopThread(name: "a loop")
        let (log, loop) = (Locked<[Int]>([]), thread.loop)
        #expect(!loop.isCurrent)
        for number in 0..<1_000 {
            #expect(thread.execute { log.withLock { $0.append(loop.isCurrent ? number : -1) } } == .taken)
        }
        #expect(try thread.submit { log.withLock { $0.count } } == 1_000)
        thread.shutdown()
        #expect(log.withLock { $0 } == Array(0..<1_000))
        #expect("\(thread)" == "LoopThread(a loop)")
    }

    @Test func `a submitted block returns its value and throws its error`() throws {
        struct Oops: Error {}
        let thread = try LoopThread()
        let loop = thread.loop
        #expect(try thread.submit { loop.isCurrent && loop.isInPass })
        #expect(throws: Oops.self) { try thread.submit { throw Oops() } }
        #expect(try thread.submit { 7 } == 7)
        thread.shutdown()
        #expect(throws: UVLoopError.ended) { try thread.submit { 7 } }
    }

    @Test func `an asynchronous caller is suspended, not blocked`() async throws {
        struct Oops: Error {}
        let thread = try LoopThread()
        let loop = thread.loop
        #expect(try await thread.submit { loop.isCurrent })
        await #expect(throws: Oops.self) { try await thread.submit { throw Oops() } }
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<200 { group.addTask { try await thread.submit { number } } }
            return try await group.reduce(0, +)
        }
        #expect(sum == 199 * 100)
        await thread.shutdown()
        await #expect(throws: UVLoopError.ended) { try await thread.submit { 7 } }
        await thread.shutdown()
    }

    @Test func `submit on the loop's own thread runs the block at once`() throws {
        let thread = try LoopThread()
        let order = Locked<[Int]>([])
        let value = try thread.submit {
            order.withLock { $0.append(1) }
            try thread.submit { order.withLock { $0.append(2) } }
            order.withLock { $0.append(3) }
            return order.withLock { $0.count }
        }
        #expect(value == 3 && order.withLock { $0 } == [1, 2, 3])
        thread.shutdown()
    }

    @Test func `an actor on the loop submits and shuts down without waiting for itself`() async throws {
        actor Resident {
            let thread: LoopThread
            nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.loop.asUnownedSerialExecutor() }
            init(_ thread: LoopThread) { self.thread = thread }
            func use() async throws -> Int {
                let value = try await thread.submit { 7 }
                await thread.shutdown()
                return value
            }
        }
        let thread = try LoopThread()
        #expect(try await Resident(thread).use() == 7)
        await thread.shutdown()
        #expect(thread.execute {} == .refused)
    }

    @Test func `shutdown on the loop's own thread returns at once, and the thread ends`() throws {
        let thread = try LoopThread()
        let (order, loop) = (Locked<[Int]>([]), thread.loop)
        thread.execute {
            thread.shutdown()
            thread.shutdown()
            order.withLock { $0.append(1) }
            // The loop has not ended yet: what it takes, it runs.
            loop.execute { order.withLock { $0.append(2) } }
        }
        thread.shutdown()
        #expect(order.withLock { $0 } == [1, 2])
    }

    @Test func `shutdown closes what is open, and what is opened meanwhile`() throws {
        final class Closeable: LoopCloseable {
            let (loop, tally): (UVLoop, Tally)
            var next: Closeable?
            init(_ loop: UVLoop, _ tally: Tally, next: Closeable? = nil) {
                (self.loop, self.tally, self.next) = (loop, tally, next)
            }
            func open() { loop.retain(self) }
            func closeByLoop() {
                tally.add()
                next?.open()
                next = nil
                loop.release(self)
            }
        }
        let thread = try LoopThread()
        let (loop, tally) = (thread.loop, Tally())
        try thread.submit { Closeable(loop, tally, next: Closeable(loop, tally, next: Closeable(loop, tally))).open() }
        #expect(tally.value == 0)
        // A timer does not hold up the end either.
        _ = try thread.submit { loop.schedule(after: .seconds(3_600)) { tally.add() }.isPending }
        thread.shutdown()
        #expect(tally.value == 3)
        #expect(loop.holdCount == 0 && loop.openObjects.isEmpty && loop.isDetached)
    }

    @Test func `a channel that cannot connect makes its terminal call before shutdown returns`() throws {
        let host = EndCounter()
        let thread = try LoopThread()
        let loop = thread.loop
        let channel = try thread.submit {
            let channel = try NotificationChannel(uri: "ws://192.0.2.1:9/", topics: ["v2.a"], on: loop, delegate: host)
            channel.open()
            return LoopBound(channel, on: loop)
        }
        #expect(channel.execute { $0.pause() } == .taken)
        thread.shutdown()
        #expect(host.count.value == 1)
        #expect(channel.execute { $0.close() } == .refused)
    }

    @Test func `a block that comes after the end is refused, released and reported`() throws {
        let thread = try LoopThread()
        let deaths = Tally()
        thread.shutdown()
        do {
            let mortal = LoopBoundMortal(deaths)
            #expect(thread.execute { _ = mortal } == .refused)
            #expect(thread.loop.execute { _ = mortal } == .refused)
        }
        #expect(deaths.value == 1)
    }

    @Test func `several threads may shut down at the same time, and all wait`() throws {
        let thread = try LoopThread()
        let (loop, ended) = (thread.loop, Tally())
        let threads = (0..<8).map { _ in
            Joinable {
                thread.shutdown()
                if loop.isDetached { ended.add() }
            }
        }
        for each in threads { each.join() }
        #expect(ended.value == 8)
    }

    @Test func `dropping the last reference closes everything and does not wait`() throws {
        let deaths = Tally()
        let isDead = DispatchSemaphore(value: 0)
        do {
            let thread = try LoopThread()
            let loop = thread.loop
            try thread.submit { loop.retain(Occupant(loop, deaths) { isDead.signal() }) }
        }
        isDead.wait()
        #expect(deaths.value == 1)
    }

    @Test func `stop does not end the thread, keepsRunning does`() throws {
        let thread = try LoopThread()
        let loop = thread.loop
        loop.stop()
        thread.execute { loop.stop() }
        #expect(try thread.submit { loop.keepsRunning })
        try thread.submit { loop.keepsRunning = false }
        thread.shutdown()
        #expect(thread.execute {} == .refused)
    }

    @Test func `after the end the loop belongs to no thread`() throws {
        let thread = try LoopThread()
        let loop = thread.loop
        thread.shutdown()
        #expect(!loop.isCurrent)
        #expect(loop.description == "UVLoop(of another thread)")
    }

    @Test func `running the loop of a thread that has ended returns at once`() throws {
        let thread = try LoopThread()
        let loop = thread.loop
        thread.shutdown()
        loop.run()
        #expect(loop.execute {} == .refused)
    }

    @Test func `running the loop of a thread traps with a sentence`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let thread = try LoopThread()
            let loop = thread.loop
            try thread.submit { loop.run() }
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("UVLoop.run(), in C genesys_loop_run: the loop is running already."))
    }
}

/// `keepsRunning` of a loop of its own, and the results of `execute(_:)`.
@Suite(.timeLimit(.minutes(patience(1)))) struct KeptLoopTests {
    @Test func `a kept loop runs while nothing is open, until it is stopped or kept no longer`() throws {
        let loop = try UVLoop()
        loop.keepsRunning = true
        let tally = Tally()
        let helper = Joinable {
            loop.execute { tally.add() }
            loop.execute { loop.stop() }
        }
        loop.run()
        helper.join()
        #expect(tally.value == 1 && loop.keepsRunning)
        let another = Joinable {
            loop.execute {
                tally.add()
                loop.keepsRunning = false
            }
        }
        loop.run()
        another.join()
        #expect(tally.value == 2 && !loop.keepsRunning)
        loop.run()
    }

    @Test func `a kept loop that is dropped leaves nothing behind`() throws {
        weak var gone: UVLoop?
        do {
            let loop = try UVLoop()
            loop.keepsRunning = true
            loop.keepsRunning = true
            gone = loop
        }
        #expect(gone == nil)
    }

    @Test func `execute says whether the block runs`() throws {
        let loop = try UVLoop()
        let tally = Tally()
        #expect(loop.execute { tally.add() } == .taken)
        loop.run()
        #expect(loop.execute { tally.add() } == .waits)
        loop.run()
        #expect(tally.value == 2)
    }

    @Test func `a bound value is used in one step`() throws {
        let loop = try UVLoop()
        let tally = Tally()
        let bound = LoopBound(tally, on: loop)
        let helper = Joinable { #expect(bound.execute { $0.add() } == .taken) }
        helper.join()
        loop.run()
        #expect(tally.value == 1)
    }
}

/// Counts terminal calls.
private final class EndCounter: NotificationChannelDelegate, Sendable {
    let count = Tally()
    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {}
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) { count.add() }
    func channelDidClose(_ channel: NotificationChannel) { count.add() }
}

/// Counts its death; unlike `Mortal` it may be captured.
private final class LoopBoundMortal: Sendable {
    private let deaths: Tally
    init(_ deaths: Tally) { self.deaths = deaths }
    deinit { deaths.add() }
}

/// An open object that says when it has died.
private final class Occupant: LoopCloseable {
    private let loop: UVLoop
    private let deaths: Tally
    private let whenDead: @Sendable () -> Void
    init(_ loop: UVLoop, _ deaths: Tally, whenDead: @escaping @Sendable () -> Void) {
        (self.loop, self.deaths, self.whenDead) = (loop, deaths, whenDead)
    }
    deinit {
        deaths.add()
        whenDead()
    }
    func closeByLoop() { loop.release(self) }
}

/// A thread that a test waits for.
private final class Joinable: Sendable {
    private let hasEnded = DispatchSemaphore(value: 0)
    init(_ body: @escaping @Sendable () -> Void) {
        Thread.detachNewThread { [hasEnded] in
            body()
            hasEnded.signal()
        }
    }
    func join() { hasEnded.wait() }
}
