package import CUV
internal import Synchronization

/// A libuv loop and everything the library needs to live on it.
///
/// A loop, and every channel and client on it, belongs to one thread: the one that created it, then the one that calls
/// `run()`. Only `execute(_:)`, `stop()`, `isCurrent` and the requirements of an executor (`enqueue(_:)` and its like)
/// may be used on other threads, and `description` says there that it is another thread's. Everything else traps there
/// with a sentence, in debug and in release. `bindToCurrentThread()` makes another thread the loop's while nobody runs
/// it.
///
/// A loop must not be used in the child of a `fork()`; there, it traps.
///
/// The last reference may be dropped anywhere but on an adopted loop (see `init(adopting:)`). Blocks that were given
/// to `execute(_:)` and never run are released with the loop.
@safe public final class UVLoop: @unchecked Sendable {
    /// The uv loop.
    ///
    /// Ours: allocated in `init()`, freed in `deinit`. Adopted: the host's, alive until we detached.
    package let raw: UnsafeMutablePointer<uv_loop_t>
    let isAdopted: Bool
    let registry: HandleRegistry
    let mailbox: Mailbox
    let async: HandleBlock

    // What other threads read.
    let thread: Atomic<UInt>
    let stopRequested = Atomic<Bool>(false)
    let warnings = LoopWarnings()

    // What only the loop's thread touches.
    var isThreadAssumed: Bool
    var isRunning = false
    var isPolling = false
    var isDetaching = false
    var isDetached = false
    var holdCount = 0
    var openObjects: [ObjectIdentifier: AnyObject] = [:]
    var forgotten = Forgotten()
    var tasks = TaskQueue()
    var passDepth = 0
    var isWakingForPasses = false
    var buffers: (ciphertext: UnsafeMutableRawBufferPointer, plaintext: UnsafeMutableRawBufferPointer)?

    /// See `shared(_:where:make:)`.
    package internal(set) var attachments: [AnyHashable: AnyObject] = [:]
    /// Letters that were taken and not opened yet, the next one last.
    var backlog: [Mailbox.Message] = []

    /// See `nextRandomWord()`.
    private var randomWords = RandomWords()

    /// The loop's name look-ups.
    private(set) lazy var resolver = Resolver(loop: self)

    /// Creates a loop of its own, bound to the calling thread until another one calls `run()`.
    ///
    /// - Throws: `UVLoopError` when the system has no resource left for it.
    public convenience init() throws {
        // With fewer libuv would end the process when it is used for the first time.
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
    /// On failure nothing of ours is left on it, and it still belongs to the caller.
    init(raw: UnsafeMutablePointer<uv_loop_t>, isAdopted: Bool) throws(UVError) {
        let registry = HandleRegistry()
        let async = try unsafe HandleBlock(
            group: HandleGroup(registry: registry), kind: uv_async_t.self, operation: "uv_async_init"
        ) { block in
            unsafe uv_async_init(raw, cuv_block_async(block), wakeUpCallback)
        }
        // The loop itself must not keep `uv_run` going; open objects and waiting passes do (`hold()`).
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
        // In the child of a fork() everything is left as it is: closing it would be felt by the parent.
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
    /// A word of the system's random generator, for one masking key.
    package func nextRandomWord() -> UInt32 { randomWords.next() }
}

// MARK: - Running

extension UVLoop {
    /// Runs the loop on the calling thread until nothing is open on it, or until `stop()`.
    ///
    /// Open is every channel and client between its `open()` and its terminal call, and everything they use; blocks
    /// given to `execute(_:)` before the end are run, too. It may be called again afterwards. What the host seems to
    /// have forgotten is said in `logger` when it returns.
    ///
    /// - Precondition: the loop is not adopted, and `run()` is not being called, neither here nor on another thread.
    public func run() {
        guard !isAdopted else {
            Misuse.trap("UVLoop.run(): an adopted loop is run by the program that owns it.")
        }
        guard !isRunning else { Misuse.trap("UVLoop.run(): the loop is running already.") }
        checkFork()
        isRunning = true
        mailbox.begin()
        var isOver = false
        bindToCurrentThread()
        while !stopRequested.load(ordering: .acquiring) {
            inPass { readMailbox() }
            guard !stopRequested.load(ordering: .acquiring) else { break }
            isPolling = true
            // The loop is ours and open until `deinit`; the caller's reference outlives this call.
            let isAlive = unsafe uv_run(raw, UV_RUN_DEFAULT) != 0
            isPolling = false
            isOver = !isAlive && backlog.isEmpty && mailbox.endIfEmpty()
            if isOver { break }
        }
        stopRequested.store(false, ordering: .releasing)
        isRunning = false
        sayWhatWasForgotten(isOver: isOver)
    }

    /// Makes `run()` return as soon as the callbacks under way are done.
    ///
    /// May be called on any thread.
    ///
    /// Nothing is closed by it: `run()` may be called again and goes on where it stopped. What is open keeps the loop
    /// in memory and its sockets open, also when the host drops its references: to leave for good, `closeAll()` and
    /// `run()` once more. A `stop()` that finds no `run()` ends the next one at once.
    ///
    /// - Precondition: the loop is not adopted.
    public func stop() {
        guard !isAdopted else {
            Misuse.trap("UVLoop.stop(): an adopted loop is stopped by the program that owns it.")
        }
        checkFork()
        stopRequested.store(true, ordering: .releasing)
        if isCurrent {
            // Only inside `uv_run`: it would remember the call for the next one.
            if isPolling { unsafe uv_stop(raw) }
        } else {
            mailbox.wake()
        }
    }

    /// Runs `block` on the loop's thread at its next wake-up.
    ///
    /// May be called on any thread.
    ///
    /// Blocks of one thread run in the order they were given. The loop's own `run()` does not return before they ran;
    /// an adopted loop is woken up by them, but not kept alive. A block that comes after `run()` has returned because
    /// nothing was open waits for the next `run()`; after `detach(completion:)` took effect, blocks are released
    /// without being run. Either is a warning in `logger`, the first time.
    public func execute(_ block: @escaping @Sendable () -> Void) {
        checkFork()
        switch mailbox.post(.block(block)) {
        case .taken: break
        case .waits: warnings.blockWasLost("run() has returned; the block waits for the next run()")
        case .refused: warnings.blockWasLost("detach(completion:) has taken effect")
        }
    }

    /// The wake-up of the async handle.
    func didWakeUp() {
        inPass {
            if isWakingForPasses {
                isWakingForPasses = false
                unhold()
            }
            if isPolling, stopRequested.load(ordering: .acquiring) { unsafe uv_stop(raw) }
            readMailbox()
        }
    }

    /// Opens the messages that had come when it began, at most 1,000: a flood of them must not starve the sockets.
    ///
    /// What is left, and what comes meanwhile, waits for the next wake-up.
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
        // The wake-up of messages that came meanwhile may have been the one that went on with the backlog.
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
    /// Needed when the thread that runs an adopted loop opens channels before the loop's first callback and is not
    /// the one that called `init(adopting:)`, or when a loop is handed over to another thread while it is not running.
    /// The former thread must not use the loop any more.
    public func bindToCurrentThread() {
        checkFork()
        if isPolling, !isCurrent {
            Misuse.trap("UVLoop.bindToCurrentThread(): the loop is running on another thread.")
        }
        isThreadAssumed = false
        thread.store(UInt(cuv_current_thread()), ordering: .releasing)
    }

    /// Traps with a sentence when the caller is not on the loop's thread, in debug and in release.
    package func preconditionCurrent(_ what: StaticString) {
        checkFork()
        guard isCurrent else {
            Misuse.trap("\(what) was called on a thread that is not its event loop's; use UVLoop.execute(_:).")
        }
    }

    func checkFork() {
        guard !registry.isInherited else {
            Misuse.trap("An event loop made before fork() was used in the child process.")
        }
    }

    /// The monotonic and the civil clock, read now (libuv's cached loop time is neither exact nor fresh).
    package var now: ClockReading {
        var seconds: Int64 = 0
        var nanoseconds: Int32 = 0
        // Both variables live for the call.
        unsafe cuv_wall_clock(&seconds, &nanoseconds)
        return ClockReading(
            instant: Instant(nanoseconds: Int64(clamping: uv_hrtime())),
            wall: WallTime(seconds: seconds, nanoseconds: nanoseconds))
    }
}

/// Counts the forks this process is the child of, so that a loop made before `fork()` can refuse to be used after it.
///
/// Parent and child share the kernel's poll set: a child that closed one socket would silence it in the parent.
enum ForkGuard {
    /// 0 in the process that first asked, one more in each generation of its children.
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
