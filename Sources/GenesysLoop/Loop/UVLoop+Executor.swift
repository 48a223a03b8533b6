/// An event loop is the executor of the actors that live on it, and of the tasks that prefer it.
///
///     actor Host: NotificationChannelDelegate {
///         private let loop: UVLoop
///         private var channel: NotificationChannel?
///         nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
///
///         init(on loop: UVLoop) { self.loop = loop }
///
///         func open(_ uri: String) throws {
///             channel = try NotificationChannel(uri: uri, topics: ["v2.users.ID.presence"], on: loop, delegate: self)
///             channel?.open()
///         }
///
///         nonisolated func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
///             assumeIsolated { $0.handle(notification) }
///         }
///         …
///
/// The actor's code then runs on the loop's thread, so it may own channels and clients, and call them without waiting.
/// In a delegate method `assumeIsolated` always holds and does not wait either; a notification goes into it as it is,
/// borrowed. The `channel` argument cannot: it belongs to whoever called, and the actor uses its own. An actor must
/// hold its loop, as above: the concurrency library does not, which is why a target with strict memory safety has to
/// write `unsafe loop.asUnownedSerialExecutor()`.
///
/// - Order: jobs run in the order in which they became ready, in turn with the blocks of `execute(_:)` and at most
///   1,000 at each wake-up, so that a busy actor starves no socket.
/// - Life: a job that waits is like a block: `run()` does not return before it ran, but a task that is suspended keeps
///   no loop running. While nobody runs the loop, jobs wait for the next `run()`. A job that comes after
///   `detach(completion:)` took effect, or that waits on a loop that is released, can never run on the loop's thread:
///   the process is ended with a sentence that says so. Let the tasks of its actors end before a loop is left.
/// - Cost: none for a host without actors; a delegate call does not pass through the executor.
///
/// A host on the main actor runs the loop on the main thread (`MainActor.assumeIsolated` holds in every delegate
/// method), or gives the loop a thread of its own and sends copies to the main actor; `Documentation/Embedding.md`
/// shows the second.
extension UVLoop: SerialExecutor, TaskExecutor {
    /// Runs a job of the concurrency library on the loop's thread at its next wake-up.
    ///
    /// May be called on any thread; it is called by the concurrency library.
    public func enqueue(_ job: consuming ExecutorJob) {
        checkFork()
        guard mailbox.post(.job(UnownedJob(job))) != .refused else {
            Misuse.trap(
                "A job of an actor or a task came to a UVLoop after detach(completion:) took effect; "
                    + "let the tasks that use the loop end before it is detached from.")
        }
    }

    /// What an actor on the loop returns as its `unownedExecutor`.
    ///
    /// May be called on any thread. It does not keep the loop alive.
    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        // Unowned, as the type says: an actor holds its loop.
        unsafe UnownedSerialExecutor(ordinary: self)
    }

    /// The loop as the executor that a task prefers.
    ///
    /// May be called on any thread. It does not keep the loop alive.
    public func asUnownedTaskExecutor() -> UnownedTaskExecutor {
        // Unowned, as the type says: a task holds the executor that it prefers.
        unsafe UnownedTaskExecutor(ordinary: self)
    }

    /// Whether the caller is on the loop's thread, and so isolated to every actor on the loop.
    ///
    /// May be called on any thread; `assumeIsolated` asks it.
    public func isIsolatingCurrentContext() -> Bool? {
        isCurrent
    }

    /// Traps with a sentence when the caller is not on the loop's thread, in debug and in release.
    public func checkIsolated() {
        preconditionCurrent("Code of an actor on an event loop")
    }

    func perform(_ job: UnownedJob) {
        // The loop is alive: it is running.
        unsafe job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    }
}
