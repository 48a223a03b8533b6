internal import CUV

extension UVLoop {
    /// Takes the library off an adopted loop.
    ///
    /// It closes nothing. It takes effect when every channel and client on the loop has ended (see `closeAll()`), and
    /// no timer or block waits. Then our last handle is closed, and `completion` runs inside the host's `uv_run` when
    /// none of our handles is left (`uv_walk` finds none), or inside this call if none was left before. `completion`
    /// may stop the loop, but must not close it before `uv_run` returns. Afterwards the `UVLoop` cannot be used;
    /// dropping it is safe on every thread.
    ///
    /// - Precondition: the loop is adopted; called on its thread. Safe inside any delegate callback.
    public func detach(completion: @escaping () -> Void) {
        guard isAdopted else {
            Misuse.trap(
                "UVLoop.detach(completion:), in C genesys_loop_detach: only an adopted loop can be detached from.")
        }
        preconditionCurrent("UVLoop.detach(completion:), in C genesys_loop_detach,")
        guard !isDetached || registry.openCount > 0 else { return completion() }
        registry.completions.append(completion)
        isDetaching = true
        keepsRunning = true
        considerDetaching()
    }

    /// Closes the async handle when it is the last thing of ours on an adopted loop that is to be left.
    func considerDetaching() {
        guard isDetaching, !isDetached, !isInPass, holdCount == 0 else { return }
        // They run as a pass, whose end leads here again.
        if !companions.isEmpty { return notifyCompanions(isEnd: true) }
        guard registry.openCount == 1 else { return }
        // A block does not keep an adopted loop running, but a detachment that waits for one does.
        guard backlog.isEmpty, mailbox.closeIfEmpty() else { return wakeForTasks() }
        isDetached = true
        sayWhatWasForgotten(isOver: true)
    }

    /// `deinit` of an adopted loop: leaves it as far as that can be done without running it.
    func abandonAdoptedLoop() {
        guard !isDetached else { return }
        guard isCurrent || isThreadAssumed else {
            Misuse.trap(
                "An adopted UVLoop was released on a thread that is not the loop's; call detach(completion:) first.")
        }
        dispose(backlog.reversed() + mailbox.close())
    }

    /// Frees our own loop, in `deinit`.
    ///
    /// There is no other reference, so no thread runs it, and all wrappers are gone: what is left are handles that wait
    /// for their close callback.
    func destroyOwnLoop() {
        dispose(backlog.reversed() + mailbox.close())
        var rounds = 0
        // The loop is ours and open.
        while registry.openCount > 0, rounds < 1_000 {
            _ = unsafe uv_run(raw, UV_RUN_NOWAIT)
            rounds += 1
        }
        guard unsafe uv_loop_close(raw) == 0 else {
            Misuse.trap("A UVLoop was destroyed while handles were open on it: \(registry.summary()).")
        }
        unsafe raw.deallocate()
    }

    /// Destroys the values of unread disposals. Blocks are released without running.
    func dispose(_ messages: [Mailbox.Message]) {
        for message in messages {
            switch message {
            case .disposal(let destroy):
                destroy()
            case .job:
                Misuse.trap(
                    "A UVLoop was released while a job of an actor waited on it, which can never run now; "
                        + "an actor must hold the loop that is its executor.")
            case .block:
                warnings.blockWasLost("the loop was released before it was run again")
            case .resolved:
                break
            }
        }
    }
}

extension UVLoop {
    /// Keeps `object` alive and the loop running until `release(_:)`.
    ///
    /// Further calls for the same object do nothing.
    package func retain(_ object: AnyObject) {
        preconditionCurrent("UVLoop.retain(_:)")
        guard openObjects.updateValue(object, forKey: ObjectIdentifier(object)) == nil else { return }
        hold()
        if let closer { schedule(closer) }
    }

    /// Undoes `retain(_:)`. Does nothing if the object is not retained.
    ///
    /// The reference is dropped when the running pass ends, so the caller may be the object itself.
    package func release(_ object: AnyObject) {
        preconditionCurrent("UVLoop.release(_:)")
        guard let object = openObjects.removeValue(forKey: ObjectIdentifier(object)) else { return }
        unhold()
        if isInPass { tasks.keepUntilDrained(object) }
    }

    /// Keeps `uv_run` running until the matching `unhold()`.
    package func hold() {
        guard !isDetached else { Misuse.trap("An event loop was used after it had ended.") }
        holdCount += 1
        if holdCount == 1 { referWakeUp() }
    }

    /// Undoes one `hold()`.
    package func unhold() {
        holdCount -= 1
        if holdCount == 0 {
            referWakeUp()
            considerDetaching()
        }
    }
}

// MARK: - Passes

extension UVLoop {
    /// Whether a callback of libuv, a block or a task is running.
    package var isInPass: Bool { passDepth > 0 }

    /// Another one for each outermost pass.
    package var passNumber: Int { wakeUpCount }

    /// Queues `task`, unless it is queued already, and keeps it alive until it has run.
    ///
    /// Inside a pass it runs before the outermost pass ends, otherwise at the next wake-up, for which the loop, own or
    /// adopted, keeps running.
    package func schedule(_ task: any LoopTask) {
        guard tasks.append(task), !isInPass else { return }
        wakeForTasks()
    }

    /// Runs `body` as a pass. The outermost pass then runs the scheduled tasks, in order.
    ///
    /// Every callback of libuv that can reach the host's code runs as a pass.
    package func inPass(_ body: () -> Void) {
        if isThreadAssumed { bindToCurrentThread() }
        passDepth += 1
        body()
        if passDepth == 1 {
            wakeUpCount &+= 1
            drainTasks()
        }
        passDepth -= 1
        if passDepth == 0 { considerDetaching() }
    }

    func drainTasks() {
        // Tasks that keep scheduling each other must not starve the sockets.
        var budget = 10_000
        repeat {
            while budget > 0, let task = tasks.next() {
                task.runTask()
                budget -= 1
            }
            // Objects that are destroyed here may schedule tasks.
        } while !tasks.takeKept().isEmpty
        if !tasks.isEmpty { wakeForTasks() }
    }

    func wakeForTasks() {
        guard !isWakingForTasks else { return }
        isWakingForTasks = true
        hold()
        mailbox.wake()
    }
}

// MARK: - Buffers

extension UVLoop {
    /// 64 KiB for bytes read from a socket. The contents are valid only during the read callback.
    package var ciphertextBuffer: UnsafeMutableRawBufferPointer { unsafe lentBuffers().ciphertext }

    /// 64 KiB for decrypted bytes. The contents are valid until the next read on this loop.
    package var plaintextBuffer: UnsafeMutableRawBufferPointer { unsafe lentBuffers().plaintext }

    func lentBuffers() -> (
        ciphertext: UnsafeMutableRawBufferPointer, plaintext: UnsafeMutableRawBufferPointer
    ) {
        // Freed in `deinit`; the caller holds the loop.
        if let buffers = unsafe buffers { return unsafe buffers }
        let made = (
            ciphertext: UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 64),
            plaintext: UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 64)
        )
        unsafe buffers = unsafe made
        return unsafe made
    }
}

extension UVLoop {
    /// Closes every channel, client and simulator that is open on the loop, as `close()` of each does, and cancels
    /// every timer of `schedule(after:_:)`.
    ///
    /// Each makes its terminal call from the loop, and `run()` returns after the last one. To leave a stopped loop with
    /// open objects, or an adopted loop:
    ///
    ///     loop.closeAll()
    ///     loop.run()                              // an adopted loop: loop.detach { … }
    ///
    /// Objects that are opened afterwards stay open.
    ///
    /// - Precondition: called on the loop's thread. Safe inside any delegate callback.
    public func closeAll() {
        preconditionCurrent("UVLoop.closeAll()")
        for object in Array(openObjects.values) { (object as? any LoopCloseable)?.closeByLoop() }
    }

    /// Whether the library keeps the loop running.
    ///
    /// A loop of its own: whether `run()` continues while nothing is open, and waits for blocks, until `stop()`.
    /// Default false; true on the loop of a `LoopThread`. Open objects keep it running in any case. To leave, set it to
    /// false and call `closeAll()`.
    ///
    /// An adopted loop: whether the library's handles keep the host's `uv_run` from returning; default true. If false,
    /// the loop ends with the host's own handles, as after `uv_unref` of each of our handles, including later ones.
    /// Open objects stay open and continue when the loop runs again. A connection attempt and closing handles keep a
    /// loop running in any case, because libuv cannot unref them. `detach(completion:)` sets it to true, so that its
    /// completion runs.
    ///
    /// - Precondition: used on the loop's thread. Safe inside any delegate callback.
    public var keepsRunning: Bool {
        get {
            preconditionCurrent("UVLoop.keepsRunning")
            return isAdopted ? registry.keepsRunning : isKept
        }
        set {
            preconditionCurrent("UVLoop.keepsRunning")
            guard !isDetached, newValue != keepsRunning else { return }
            if isAdopted {
                registry.setKeepsRunning(newValue, except: async)
                referWakeUp()
            } else {
                isKept = newValue
                if newValue { hold() } else { unhold() }
            }
        }
    }

    /// References the async handle if something holds the loop and the host allows it.
    func referWakeUp() {
        // The async handle is open until the loop is destroyed or detached.
        if holdCount > 0, registry.keepsRunning { unsafe uv_ref(async.handle) } else { unsafe uv_unref(async.handle) }
    }
}

extension UVLoop: CustomStringConvertible {
    /// The open objects: channels, clients and timers, and the number of handles of each kind. It contains no secrets.
    ///
    /// Print it if `uv_loop_close` returns `UV_EBUSY`, to see which of our handles are still open. On another thread it
    /// only says that the loop belongs to another thread.
    public var description: String {
        guard isCurrent else { return "UVLoop(of another thread)" }
        let objects = openObjects.values.map { "\($0)" }.sorted()
        let handles = registry.summary(except: isDetached ? nil : async)
        let parts = objects + (handles.isEmpty ? [] : ["handles: \(handles)"])
        return "UVLoop(\(parts.isEmpty ? "nothing open" : parts.joined(separator: "; ")))"
    }
}

extension UVLoop {
    /// A value that all objects on the loop share under `key`, for example a TLS context. It is created on first use
    /// and freed with the loop.
    ///
    /// - Parameter isUsable: whether the existing value can be used; otherwise a new one replaces it.
    package func shared<Value: AnyObject, Failure: Error>(
        _ key: some Hashable, where isUsable: (Value) -> Bool = { _ in true }, make: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        if let kept = attachments[key] as? Value, isUsable(kept) { return kept }
        let made = try make()
        attachments[key] = made
        return made
    }
}
