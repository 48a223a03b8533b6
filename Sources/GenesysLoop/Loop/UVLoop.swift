package import CUV
internal import Synchronization

/// A libuv loop and everything the library needs to live on it.
///
/// A loop, and every channel and client on it, belongs to one thread: first the thread that creates it, then the thread
/// that calls `run()`; that of a `LoopThread` to its thread. On other threads only `execute(_:)`, `stop()`,
/// `isCurrent`, `logger`, `description` and the requirements of an executor (such as `enqueue(_:)`) may be used.
/// Everything else traps there with a sentence, in debug and in release. `bindToCurrentThread()` binds a loop that is
/// not running to another thread.
///
/// A loop traps in the child of a `fork()`.
///
/// The last reference may be dropped on any thread, except that of an adopted loop (see `init(adopting:)`). Blocks that
/// were passed to `execute(_:)` and never ran are released with the loop.
@safe public final class UVLoop: @unchecked Sendable {
    /// The uv loop.
    ///
    /// Our own is allocated in `init()` and freed in `deinit`. An adopted one belongs to the host and lives until the
    /// detachment.
    package let raw: UnsafeMutablePointer<uv_loop_t>
    let isAdopted: Bool
    let registry: HandleRegistry
    let mailbox: Mailbox
    let async: HandleBlock

    // Other threads read these.
    let thread: Atomic<UInt>
    let stopRequested = Atomic<Bool>(false)
    let warnings = LoopWarnings()

    // Only the loop's thread uses these.
    var isThreadAssumed: Bool
    var isRunning = false
    var isPolling = false
    package internal(set) var isDetaching = false
    var isDetached = false
    var holdCount = 0
    /// `keepsRunning` of a loop of its own.
    var isKept = false
    /// The loop has a thread of its own and ends with its `run()`.
    var endsWithRun = false
    /// Set when `LoopThread.shutdown()` has begun.
    var closer: LoopCloser?
    var openObjects: [ObjectIdentifier: AnyObject] = [:]
    var forgotten = Forgotten()
    var tasks = TaskQueue()
    var dueTimers = DueTimers()
    var passDepth = 0
    /// Outermost passes.
    var wakeUpCount = 0
    /// How late its timers fired.
    var lag = DurationHistogram()
    /// `TCPConnection`s that are not closed.
    var connectionCount = 0
    var companions = LoopCompanions()
    var isWakingForTasks = false
    var buffers: (ciphertext: UnsafeMutableRawBufferPointer, plaintext: UnsafeMutableRawBufferPointer)?

    /// See `shared(_:where:make:)`.
    package internal(set) var attachments: [AnyHashable: AnyObject] = [:]
    /// What no text of a peer may repeat in a failure or a log, by who knows it.
    package var secrets: [ObjectIdentifier: [[UInt8]]] = [:]
    /// Messages taken from the mailbox and not handled yet, the next one last.
    var backlog: [Mailbox.Message] = []

    /// See `nextRandomWord()`.
    private var randomWords = RandomWords()

    /// The loop's name look-ups.
    package private(set) lazy var resolver = Resolver(loop: self)

    /// Creates a loop and binds it to the calling thread, until another thread calls `run()`.
    ///
    /// - Throws: `UVLoopError` if the system has no resource left for it.
    public convenience init() throws(UVLoopError) {
        // With fewer descriptors libuv would abort the process on first use.
        guard cuv_lacks_descriptors(3) == 0 else {
            throw UVLoopError(UVError(operation: "uv_loop_init", code: UV_EMFILE.rawValue))
        }
        let raw = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
        unsafe raw.initialize(to: uv_loop_t())
        let code = unsafe uv_loop_init(raw)
        guard code == 0 else {
            unsafe raw.deallocate()
            throw UVLoopError(UVError(operation: "uv_loop_init", code: code))
        }
        do throws(UVError) {
            try unsafe self.init(raw: raw, isAdopted: false)
        } catch {
            unsafe uv_loop_close(raw)
            unsafe raw.deallocate()
            throw UVLoopError(error)
        }
    }

    /// Attaches to `raw`.
    ///
    /// On failure none of our handles is left on it, and it still belongs to the caller.
    init(raw: UnsafeMutablePointer<uv_loop_t>, isAdopted: Bool) throws(UVError) {
        let registry = HandleRegistry()
        let async = try unsafe HandleBlock(
            group: HandleGroup(registry: registry), kind: uv_async_t.self, operation: "uv_async_init"
        ) { block in
            unsafe uv_async_init(raw, cuv_block_async(block), wakeUpCallback)
        }
        // The loop itself must not keep `uv_run` running; open objects and waiting tasks do (`hold()`).
        unsafe uv_unref(async.handle)
        unsafe self.raw = unsafe raw
        self.isAdopted = isAdopted
        self.registry = registry
        self.async = async
        mailbox = Mailbox(block: async)
        thread = Atomic(UInt(cuv_current_thread()))
        isThreadAssumed = isAdopted
        unsafe registry.loop = self
        async.setOwner(self)
    }

    deinit {
        // In the child of a fork() nothing is closed, because closing would affect the parent.
        guard !registry.isInherited else { return }
        unsafe registry.loop = nil
        if isAdopted {
            abandonAdoptedLoop()
        } else {
            destroyOwnLoop()
        }
        unsafe buffers?.ciphertext.deallocate()
        unsafe buffers?.plaintext.deallocate()
    }
}

extension UVLoop {
    /// A random word from the system's generator, for one masking key.
    package func nextRandomWord() -> UInt32 { randomWords.next() }
}

// MARK: - Running

extension UVLoop {
    /// Runs the loop on the calling thread until nothing is open on it, or until `stop()`.
    ///
    /// A channel or client is open between its `open()` and its terminal call, a timer until its call. Blocks that are
    /// passed to `execute(_:)` before the end run too. With `keepsRunning` it does not return when nothing is open, but
    /// waits for blocks. `run()` may be called again. When it returns, it logs likely omissions of the host in
    /// `logger`.
    ///
    /// - Precondition: the loop is not adopted, and `run()` is not being called, neither here nor on another thread.
    public func run() {
        checkMayRun("UVLoop.run(), in C genesys_loop_run")
        isRunning = true
        mailbox.begin()
        var isOver = false
        bindToCurrentThread()
        while !stopRequested.load(ordering: .acquiring) {
            inPass { readMailbox() }
            guard !stopRequested.load(ordering: .acquiring) else { break }
            isPolling = true
            // Our own loop is open until `deinit`; the caller's reference outlives this call.
            let isAlive = unsafe uv_run(raw, UV_RUN_DEFAULT) != 0
            isPolling = false
            isOver = !isAlive && backlog.isEmpty && endMailbox()
            if isOver { break }
        }
        if isOver { notifyCompanions(isEnd: isDetached) }
        stopRequested.store(false, ordering: .releasing)
        isRunning = false
        sayWhatWasForgotten(isOver: isOver)
    }

    func checkMayRun(_ call: StaticString) {
        guard !isAdopted else { Misuse.trap("\(call): an adopted loop is run by the program that owns it.") }
        guard !isRunning else { Misuse.trap("\(call): the loop is running already.") }
        checkFork()
    }

    /// Makes `run()` return as soon as the running callbacks are done.
    ///
    /// May be called on any thread.
    ///
    /// `stop()` closes nothing, and `run()` may be called again to continue. Open objects keep the loop in memory and
    /// their sockets open, even if the host drops its references: to leave for good, call `closeAll()` and `run()` once
    /// more. If the loop is not running, the next `run()` returns at once.
    ///
    /// - Precondition: the loop is not adopted.
    public func stop() {
        guard !isAdopted else {
            Misuse.trap("UVLoop.stop(), in C genesys_loop_stop: an adopted loop is stopped by its program.")
        }
        checkFork()
        stopRequested.store(true, ordering: .releasing)
        if isCurrent {
            // Only inside `uv_run`; otherwise the call would end the next `uv_run`.
            if isPolling { unsafe uv_stop(raw) }
        } else {
            mailbox.wake()
        }
    }

    /// Runs `block` on the loop's thread at its next wake-up.
    ///
    /// May be called on any thread.
    ///
    /// Blocks of one thread run in order. The loop's own `run()` does not return before they ran; an adopted loop is
    /// woken up, but not kept alive. If `run()` has returned because nothing was open, a block waits for the next
    /// `run()`. After `detach(completion:)` or `LoopThread.shutdown()` took effect, blocks are released without
    /// running. Both cause a warning in `logger`, the first time.
    ///
    /// - Parameter block: runs once.
    /// - Returns: what happens to the block, so that a host can tell whether the loop has ended.
    @discardableResult
    public func execute(_ block: @escaping @Sendable () -> Void) -> ExecuteResult {
        checkFork()
        let result = mailbox.post(.block(block))
        switch result {
        case .taken: break
        case .waits: warnings.blockWasLost("run() has returned; the block waits for the next run()")
        case .refused where isAdopted: warnings.blockWasLost("detach(completion:) has taken effect")
        case .refused: warnings.blockWasLost("the loop's thread has ended")
        }
        return result
    }

    /// What happens to a block that was given to `execute(_:)`.
    public enum ExecuteResult: Hashable, Sendable {
        /// The loop runs it.
        case taken
        /// `run()` has returned because nothing was open. The block waits for the next `run()`, and is released with
        /// the loop if there is none.
        case waits
        /// The loop has ended for good, by `detach(completion:)` or `LoopThread.shutdown()`. The block is released
        /// without being run.
        case refused
    }

    /// The wake-up of the async handle.
    func didWakeUp() {
        inPass {
            if isWakingForTasks {
                isWakingForTasks = false
                unhold()
            }
            if isPolling, stopRequested.load(ordering: .acquiring) { unsafe uv_stop(raw) }
            readMailbox()
        }
    }

    /// Handles the waiting messages, at most 1,000 of them, so that a flood does not starve the sockets.
    ///
    /// Other messages wait for the next wake-up.
    func readMailbox() {
        let wasInterrupted = !backlog.isEmpty
        if !wasInterrupted {
            backlog = mailbox.takeMessages()
            backlog.reverse()
        }
        var budget = 1_000
        while budget > 0, let message = backlog.popLast() {
            handle(message)
            budget -= 1
        }
        // This wake-up may have been for newer messages, and it handled the backlog instead.
        if wasInterrupted || !backlog.isEmpty { mailbox.wake() }
    }

    private func handle(_ message: Mailbox.Message) {
        switch message {
        case .block(let block), .disposal(let block):
            block()
        case .job(let job):
            perform(job)
        case .resolved(let job, let family, let result):
            resolver.lookupDidEnd(job, family, result)
        }
    }
}

func wakeUpCallback(_ handle: UnsafeMutablePointer<uv_async_t>?) {
    guard let loop = unsafe HandleBlock.owner(handle?.pointee.data, as: UVLoop.self) else { return }
    loop.didWakeUp()
}

extension UVLoop {
    /// Whether the calling thread is the loop's thread.
    ///
    /// May be called on any thread.
    public var isCurrent: Bool {
        thread.load(ordering: .acquiring) == UInt(cuv_current_thread())
    }

    /// Makes the calling thread the loop's thread.
    ///
    /// Call it if the thread that runs an adopted loop opens channels before the loop's first callback and is not the
    /// one that called `init(adopting:)`, or to hand a loop that is not running over to another thread. The former
    /// thread must not use the loop afterwards.
    public func bindToCurrentThread() {
        checkFork()
        if isPolling, !isCurrent {
            Misuse.trap("UVLoop.bindToCurrentThread(), in C genesys_loop_bind: the loop is running on another thread.")
        }
        isThreadAssumed = false
        thread.store(UInt(cuv_current_thread()), ordering: .releasing)
    }

    /// Traps with a sentence if the caller is not on the loop's thread, in debug and in release.
    package func preconditionCurrent(_ what: StaticString) {
        checkFork()
        guard isCurrent else {
            Misuse.trap(
                "\(what) was called on a thread that is not its event loop's; "
                    + "use UVLoop.execute(_:), in C genesys_loop_execute.")
        }
    }

    func checkFork() {
        guard !registry.isInherited else {
            Misuse.trap("An event loop made before fork() was used in the child process.")
        }
    }

    /// The monotonic and the civil clock, read now, because libuv's cached time is neither exact nor fresh.
    package var now: ClockReading {
        var seconds: Int64 = 0
        var nanoseconds: Int32 = 0
        // Both variables are alive during the call.
        unsafe cuv_wall_clock(&seconds, &nanoseconds)
        return ClockReading(
            instant: Instant(nanoseconds: Int64(clamping: uv_hrtime())),
            wall: WallTime(seconds: seconds, nanoseconds: nanoseconds))
    }
}

/// Counts how often this process was forked, so that a loop from before a `fork()` can trap in the child.
///
/// Parent and child share the kernel's poll set: a child that closed a socket would silence it in the parent.
enum ForkGuard {
    /// 0 in the process that reads it first, one more in each generation of its children.
    static var generation: Int {
        _ = isInstalled
        return count.load(ordering: .relaxed)
    }

    private static let count = Atomic<Int>(0)

    private static let isInstalled: Bool = {
        cuv_after_fork_in_child { ForkGuard.count.add(1, ordering: .relaxed) }
        return true
    }()
}
