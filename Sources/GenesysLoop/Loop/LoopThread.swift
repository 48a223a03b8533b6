internal import CUV
internal import Synchronization

/// A loop that runs on a thread of its own, for a program whose threads have other work.
///
///     let thread = try LoopThread(name: "notifications")
///     let host = try thread.submit { LoopBound(try Host(on: thread.loop), on: thread.loop) }
///     …
///     let count = try thread.submit { host.value.count }
///     host.execute { $0.pause() }
///     …
///     thread.shutdown()
///
/// The loop runs from `init` to `shutdown()`, also while nothing is open on it. Channels and clients are made, used and
/// dropped on its thread: in blocks of `execute(_:)` and `submit(_:)`, and in delegate methods. `LoopBound` carries
/// them through other threads.
///
/// - Thread: every method may be called on any thread, the loop's own included, and inside every delegate method.
/// - Signals: the thread blocks all signals, so that the handlers of the program never run on it.
/// - Retention: keep it. When the last reference is dropped without `shutdown()`, everything is closed as `shutdown()`
///   does, without waiting.
/// - The loop: `thread.loop` is an ordinary loop, except that its thread runs it. `run()` and `detach(completion:)`
///   trap while the thread lives. After `stop()` the thread runs it again at once. `keepsRunning` is true; set to
///   false, the thread ends as soon as nothing is open. In the child of a `fork()` there is no such thread, and every
///   method traps.
@safe public final class LoopThread: Sendable {
    /// The name of the thread, for debuggers. Linux shows its first 15 bytes.
    public let name: String
    /// The loop. Its thread runs it.
    public let loop: UVLoop

    private let life: ThreadLife

    /// Makes a loop and starts the thread that runs it.
    ///
    /// - Parameter name: the name of the thread.
    /// - Throws: `UVLoopError` if the system has no resource left for a loop or a thread.
    public init(name: String = "genesys-loop") throws(UVLoopError) {
        self.name = name
        loop = try UVLoop()
        life = try ThreadLife(name: name, loop: loop)
    }

    deinit {
        // In the child of a fork() there is neither a thread nor a loop that could be used.
        guard !loop.registry.isInherited else { return }
        loop.askToEnd()
        life.abandon()
    }

    /// Runs `block` on the loop's thread at its next wake-up, as `UVLoop.execute(_:)` does.
    ///
    /// May be called on any thread. On the loop's own thread, too, the block runs after the caller has returned.
    ///
    /// - Parameter block: runs once, in the order in which a thread gave its blocks.
    /// - Returns: `.refused` if the loop has ended: the block is released without being run.
    @discardableResult
    public func execute(_ block: @escaping @Sendable () -> Void) -> UVLoop.ExecuteResult {
        loop.execute(block)
    }

    /// Runs `body` on the loop's thread and waits for its result.
    ///
    /// May be called on any thread. On the loop's own thread `body` runs at once, within the call. Elsewhere the caller
    /// is blocked until the loop gets to it, so `body` must not wait for the caller: two loop threads that submit to
    /// each other at the same time wait forever. In an asynchronous function the overload that suspends is called.
    ///
    /// - Parameter body: runs once. A value that belongs to the loop leaves it in a `LoopBound`.
    /// - Returns: what `body` returned.
    /// - Throws: what `body` throws, or `UVLoopError.ended`: the loop has ended, and `body` did not run.
    public func submit<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
        loop.checkFork()
        guard !loop.isCurrent else { return try body() }
        let answer = Answer<Result<Value, any Error>>()
        guard loop.mailbox.post(.block { answer.give(Result(catching: body)) }) == .taken else {
            throw UVLoopError.ended
        }
        return try answer.wait().get()
    }

    /// Runs `body` on the loop's thread and suspends the caller until it has run.
    ///
    /// May be called on any thread, and from every actor. On the loop's own thread, so in an actor on the loop, `body`
    /// runs at once, without a suspension. Canceling the task does not keep `body` from running.
    ///
    /// - Parameter body: runs once. A value that belongs to the loop leaves it in a `LoopBound`.
    /// - Returns: what `body` returned.
    /// - Throws: what `body` throws, or `UVLoopError.ended`: the loop has ended, and `body` did not run.
    nonisolated(nonsending)
        public func submit<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value
    {
        loop.checkFork()
        guard !loop.isCurrent else { return try body() }
        return try await withCheckedThrowingContinuation { continuation in
            let receipt = loop.mailbox.post(.block { continuation.resume(with: Result(catching: body)) })
            if receipt != .taken { continuation.resume(throwing: UVLoopError.ended) }
        }
    }

    /// Closes everything on the loop, and waits until its thread has ended.
    ///
    /// Every channel and client makes its terminal call; so does what is opened in the meantime, so a delegate that
    /// opens another channel in `channelDidClose` each time keeps the thread from ending. Blocks that the loop has
    /// taken run. A peer that does not answer the closing handshake delays the end by the `deadlines.close` of its
    /// channel. Later blocks are refused.
    ///
    /// May be called on any thread, and again. On the loop's own thread (in a block or a delegate method) it cannot
    /// wait: it returns at once, and the thread ends by itself; a call on another thread waits for that. In an
    /// asynchronous function the overload that suspends is called.
    public func shutdown() {
        loop.askToEnd()
        guard !loop.isCurrent else { return }
        life.join()
    }

    /// Closes everything on the loop, and suspends the caller until its thread has ended.
    ///
    /// See the overload that blocks. On the loop's own thread, so in an actor on the loop, it returns at once, and the
    /// thread ends by itself: let the tasks that use the loop as their executor end before.
    nonisolated(nonsending) public func shutdown() async {
        loop.askToEnd()
        guard !loop.isCurrent else { return }
        await withCheckedContinuation { continuation in life.whenOver { continuation.resume() } }
        life.join()
    }
}

extension LoopThread: CustomStringConvertible {
    /// The name of the thread.
    public var description: String { "LoopThread(\(name))" }
}

// MARK: - The loop

extension UVLoop {
    /// Lets the loop end, from any thread: closes everything on it, and what is opened from then on.
    func askToEnd() {
        checkFork()
        mailbox.post(.block { self.closeForGood() })
    }

    private func closeForGood() {
        guard closer == nil else { return }
        closer = LoopCloser(self)
        keepsRunning = false
        closeAll()
    }

    /// Makes the calling thread that of the loop, which then ends with its run.
    fileprivate func beginOnOwnThread() {
        bindToCurrentThread()
        endsWithRun = true
        keepsRunning = true
    }

    /// Runs the loop to its end. Afterwards it belongs to no thread: the number of this one may be given to another.
    fileprivate func runToEnd() {
        // `stop()` makes `run()` return, too.
        while !isDetached { run() }
        thread.store(0, ordering: .releasing)
    }

    /// `run()` ends unless messages wait, and a loop with a thread of its own ends with it.
    func endMailbox() -> Bool {
        guard endsWithRun else { return mailbox.endIfEmpty() }
        // A loop that has ended is not run again by its thread; a host that runs it gets a return at once.
        if !isDetached { isDetached = mailbox.closeIfEmpty() }
        return isDetached
    }
}

/// Closes what is opened on a loop that is about to end.
final class LoopCloser: LoopTask {
    private unowned let loop: UVLoop

    init(_ loop: UVLoop) {
        self.loop = loop
    }

    package func runTask() {
        loop.closeAll()
    }
}

// MARK: - The thread

/// The thread of a loop, between its start and its end.
@safe private final class ThreadLife: Sendable {
    private struct State: Sendable {
        var isOver = false
        var waiting: [@Sendable () -> Void] = []
    }

    /// What the thread is given. It holds the loop until the thread ends.
    private final class Work: Sendable {
        let name: String
        let loop: UVLoop
        let end: @Sendable () -> Void
        let isReady = Answer<Void>()

        init(_ name: String, _ loop: UVLoop, end: @escaping @Sendable () -> Void) {
            self.name = name
            self.loop = loop
            self.end = end
        }

        func run() {
            // The C string is copied by the call.
            unsafe name.withCString { unsafe cuv_name_current_thread($0) }
            loop.beginOnOwnThread()
            isReady.give(())
            loop.runToEnd()
            end()
        }
    }

    private let state: Locked<State>
    /// The thread; nil once it was joined or left to itself. Not in `state`, which the ending thread locks while it is
    /// being joined.
    private let thread: Locked<UInt?>

    init(name: String, loop: UVLoop) throws(UVLoopError) {
        let state = Locked(State())
        let work = Work(name, loop) {
            let waiting = state.withLock { state in
                state.isOver = true
                defer { state.waiting = [] }
                return state.waiting
            }
            for resume in waiting { resume() }
        }
        let retained = unsafe Unmanaged.passRetained(work)
        var thread: UInt = 0
        // The variable lives for the call; the thread takes the reference over.
        let code = unsafe cuv_start_thread(
            &thread,
            { argument in
                guard let argument = unsafe argument else { return nil }
                // Retained below for this thread.
                unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, retained.toOpaque())
        guard code == 0 else {
            unsafe retained.release()
            throw UVLoopError(UVError(operation: "pthread_create", code: code))
        }
        // The loop is the new thread's when `init` returns: until then `isCurrent` would be true here.
        work.isReady.wait()
        self.state = state
        self.thread = Locked(thread)
    }

    /// Calls `resume` when the thread is about to end; at once if it has ended.
    func whenOver(_ resume: @escaping @Sendable () -> Void) {
        let isOver = state.withLock { state in
            if !state.isOver { state.waiting.append(resume) }
            return state.isOver
        }
        if isOver { resume() }
    }

    /// Waits for the end of the thread; several callers may.
    func join() {
        thread.withLock { thread in
            guard let joined = thread, joined != UInt(cuv_current_thread()) else { return }
            cuv_join_thread(joined)
            thread = nil
        }
    }

    /// Gives the thread up: nothing will wait for its end.
    func abandon() {
        thread.withLock { thread in
            if let left = thread { cuv_detach_thread(left) }
            thread = nil
        }
    }
}

/// A value that one thread waits for and another gives, once.
@safe private final class Answer<Value: Sendable>: Sendable {
    private let value = Locked<Value?>(nil)
    // Allocated in `init` and freed in `deinit`; both threads hold this object.
    private nonisolated(unsafe) let semaphore: UnsafeMutablePointer<uv_sem_t>

    init() {
        unsafe semaphore = .allocate(capacity: 1)
        unsafe semaphore.initialize(to: uv_sem_t())
        // The memory lives as long as `self`.
        guard unsafe uv_sem_init(semaphore, 0) == 0 else {
            Misuse.trap("A semaphore could not be made: no memory is left.")
        }
    }

    deinit {
        // This is the last reference.
        unsafe uv_sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    func give(_ value: Value) {
        self.value.withLock { $0 = value }
        // The memory lives as long as `self`.
        unsafe uv_sem_post(semaphore)
    }

    /// To be called once.
    func wait() -> Value {
        // The memory lives as long as `self`.
        unsafe uv_sem_wait(semaphore)
        guard let value = value.withLock({ $0 }) else { preconditionFailure("an answer was awaited twice") }
        return value
    }
}
