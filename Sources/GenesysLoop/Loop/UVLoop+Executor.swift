/// A loop is the executor of its actors, and of tasks that prefer it.
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
/// The actor's code runs on the loop's thread, so the actor may own channels and clients, and call them without
/// waiting. In a delegate method `assumeIsolated` always succeeds and does not wait either. A borrowed notification can
/// be passed into it, but the `channel` argument cannot, because it belongs to the caller; the actor uses its own
/// reference. An actor must hold its loop, as above, because the concurrency library does not. This is why a target
/// with strict memory safety must write `unsafe loop.asUnownedSerialExecutor()`.
///
/// - Order: jobs run in the order in which they became ready, interleaved with the blocks of `execute(_:)`, and at most
///   1,000 at each wake-up, so that a busy actor does not starve the sockets.
/// - Life: a waiting job is like a block: `run()` does not return before it ran. A suspended task does not keep a loop
///   running. While the loop is not running, jobs wait for the next `run()`. A job that comes after
///   `detach(completion:)` or `LoopThread.shutdown()` took effect, or that waits when the loop is released, can never
///   run on the loop's thread: the process ends with a sentence. End the tasks of a loop's actors before you leave the
///   loop.
/// - Cost: none for a host without actors; a delegate call does not pass through the executor.
///
/// A host on the main actor either runs the loop on the main thread, where `MainActor.assumeIsolated` succeeds in every
/// delegate method, or gives the loop a separate thread (`LoopThread`) and sends copies to the main actor, as in
/// <doc:BackPressure>.
extension UVLoop: SerialExecutor, TaskExecutor {
    /// Runs a job of the concurrency library on the loop's thread at its next wake-up.
    ///
    /// May be called on any thread. The concurrency library calls it.
    public func enqueue(_ job: consuming ExecutorJob) {
        checkFork()
        guard mailbox.post(.job(UnownedJob(job))) != .refused else {
            Misuse.trap(
                "A job of an actor or a task came to a UVLoop after detach(completion:) or LoopThread.shutdown() took "
                    + "effect; let the tasks that use the loop end before it is left.")
        }
    }

    /// The `unownedExecutor` of an actor on the loop.
    ///
    /// May be called on any thread. It does not keep the loop alive.
    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        // An actor holds its loop.
        unsafe UnownedSerialExecutor(ordinary: self)
    }

    /// The loop as a task's preferred executor.
    ///
    /// May be called on any thread. It does not keep the loop alive.
    public func asUnownedTaskExecutor() -> UnownedTaskExecutor {
        // A task holds its preferred executor.
        unsafe UnownedTaskExecutor(ordinary: self)
    }

    /// Whether the caller is on the loop's thread, and therefore isolated to every actor on the loop.
    ///
    /// May be called on any thread. `assumeIsolated` calls it.
    public func isIsolatingCurrentContext() -> Bool? {
        isCurrent
    }

    /// Traps with a sentence if the caller is not on the loop's thread, in debug and in release.
    public func checkIsolated() {
        preconditionCurrent("Code of an actor on an event loop")
    }

    func perform(_ job: UnownedJob) {
        // The loop is alive: it is running.
        unsafe job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    }
}
