internal import CUV

extension UVLoop {
    /// Takes the library off an adopted loop.
    ///
    /// It closes nothing: it takes effect once every channel and client on the loop has ended (see `closeAll()`) and no
    /// block waits. Our last handle is then closed, and `completion` runs inside the host's `uv_run` when none of our
    /// handles is left (`uv_walk` finds none). If that was so before the call, `completion` runs within the call. It
    /// may stop the loop, but not close it before `uv_run` returned. Afterwards, the event loop is of no use any more;
    /// dropping it is safe on every thread.
    ///
    /// - Precondition: the loop is adopted; called on its thread. Safe inside any delegate callback.
    public func detach(completion: @escaping () -> Void) {
        guard isAdopted else {
            Misuse.trap("UVLoop.detach(completion:): only an adopted loop can be detached from.")
        }
        preconditionCurrent("UVLoop.detach(completion:)")
        guard !isDetached || registry.openCount > 0 else { return completion() }
        registry.completions.append(completion)
        isDetaching = true
        keepsRunning = true
        considerDetaching()
    }

    /// Closes the async handle when it is the last thing of ours on an adopted loop that is to be left.
    func considerDetaching() {
        guard isDetaching, !isDetached, !isInPass, holdCount == 0, backlog.isEmpty, registry.openCount == 1
        else { return }
        isDetached = mailbox.closeIfEmpty()
        if isDetached { sayWhatWasForgotten(isOver: true) }
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
    /// Nobody else has a reference, so no thread runs it, and all wrappers are gone: what is left are handles that wait
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

    /// Destroys what was on its way here to be destroyed. Blocks are released without being run.
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
    /// Once per object, however often it is called.
    package func retain(_ object: AnyObject) {
        preconditionCurrent("UVLoop.retain(_:)")
        guard openObjects.updateValue(object, forKey: ObjectIdentifier(object)) == nil else { return }
        hold()
    }

    /// Undoes `retain(_:)`; nothing if the object is not retained.
    ///
    /// The reference is dropped when the running pass ends, so the caller may be the object itself.
    package func release(_ object: AnyObject) {
        preconditionCurrent("UVLoop.release(_:)")
        guard let object = openObjects.removeValue(forKey: ObjectIdentifier(object)) else { return }
        unhold()
        if isInPass { tasks.keepUntilDrained(object) }
    }

    /// Keeps `uv_run` going until the matching `unhold()`.
    func hold() {
        guard !isDetached else { Misuse.trap("An event loop was used after detach(completion:) took effect.") }
        holdCount += 1
        if holdCount == 1 { referWakeUp() }
    }

    func unhold() {
        holdCount -= 1
        if holdCount == 0 {
            referWakeUp()
            considerDetaching()
        }
    }
}

// MARK: - Passes

extension UVLoop {
    /// Whether a callback of libuv, a block or a pass is running.
    package var isInPass: Bool { passDepth > 0 }

    /// Queues `pass`, unless it is queued already, and keeps it alive until it has run.
    ///
    /// Inside a pass it runs before the outermost one ends, otherwise at the next wake-up, for which the loop is kept
    /// alive (an adopted one, too).
    package func schedule(_ task: any LoopTask) {
        guard tasks.append(task), !isInPass else { return }
        wakeForTasks()
    }

    /// Runs `body`; the outermost call then runs what was scheduled, in order.
    ///
    /// Every callback of libuv that can reach code of the host goes through here.
    package func inPass(_ body: () -> Void) {
        if isThreadAssumed { bindToCurrentThread() }
        passDepth += 1
        body()
        if passDepth == 1 { drainPasses() }
        passDepth -= 1
        if passDepth == 0 { considerDetaching() }
    }

    func drainPasses() {
        // Passes that go on scheduling each other must not starve the sockets.
        var budget = 10_000
        repeat {
            while budget > 0, let task = tasks.next() {
                task.runTask()
                budget -= 1
            }
            // What dies here may schedule passes in its turn.
        } while !tasks.takeKept().isEmpty
        if !tasks.isEmpty { wakeForTasks() }
    }

    func wakeForTasks() {
        guard !isWakingForPasses else { return }
        isWakingForPasses = true
        hold()
        mailbox.wake()
    }
}

// MARK: - Buffers

extension UVLoop {
    /// 64 KiB for what a socket read returned; contents are valid during the read callback only.
    package var ciphertextBuffer: UnsafeMutableRawBufferPointer { unsafe lentBuffers().ciphertext }

    /// 64 KiB for decrypted bytes; contents are valid until the next read on this loop.
    package var plaintextBuffer: UnsafeMutableRawBufferPointer { unsafe lentBuffers().plaintext }

    func lentBuffers() -> (
        ciphertext: UnsafeMutableRawBufferPointer, plaintext: UnsafeMutableRawBufferPointer
    ) {
        // Freed in `deinit`; whoever reads into them holds the loop.
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
    /// Closes every channel, client and simulator that is open on the loop, as `close()` of each does.
    ///
    /// Each makes its terminal call, from the loop; `run()` returns after the last one. The way to leave a loop that
    /// was stopped with something open on it, or that a host adopted for us:
    ///
    ///     loop.closeAll()
    ///     loop.run()                              // an adopted loop: loop.detach { … }
    ///
    /// What is opened afterwards is not concerned.
    ///
    /// - Precondition: called on the loop's thread. Safe inside any delegate callback.
    public func closeAll() {
        preconditionCurrent("UVLoop.closeAll()")
        for object in Array(openObjects.values) { (object as? any LoopCloseable)?.closeByLoop() }
    }

    /// Whether the library's handles keep the host's `uv_run` from returning; default true.
    ///
    /// When false, an adopted loop ends when the host's own handles do, whatever is open on it, as after `uv_unref` of
    /// every handle of ours, those to come included. What is open stays open, and goes on when the loop is run again. A
    /// connection under way and handles that are closing keep a loop running all the same: libuv knows no other way.
    /// `detach(completion:)` sets it to true, for its completion is to come.
    ///
    /// - Precondition: the loop is adopted; called on its thread. Safe inside any delegate callback.
    public var keepsRunning: Bool {
        get { registry.keepsRunning }
        set {
            preconditionCurrent("UVLoop.keepsRunning")
            guard isAdopted else {
                Misuse.trap("UVLoop.keepsRunning: run() would return at once; only an adopted loop is left running.")
            }
            guard !isDetached, newValue != registry.keepsRunning else { return }
            registry.setKeepsRunning(newValue, except: async)
            referWakeUp()
        }
    }

    /// Refers the loop to the async handle, or not, as the holds on it and the host want it.
    func referWakeUp() {
        // The async handle is open: the loop is neither dead nor detached.
        if holdCount > 0, registry.keepsRunning { unsafe uv_ref(async.handle) } else { unsafe uv_unref(async.handle) }
    }
}

extension UVLoop: CustomStringConvertible {
    /// What is open on the loop: channels, clients, and how many handles of which kind. Secrets are left out.
    ///
    /// A host whose `uv_loop_close` says `UV_EBUSY` prints it to see what of ours it closed too early. On another
    /// thread than the loop's it says only that.
    public var description: String {
        guard isCurrent else { return "UVLoop(of another thread)" }
        let objects = openObjects.values.map { "\($0)" }.sorted()
        let handles = registry.summary(except: isDetached ? nil : async)
        let parts = objects + (handles.isEmpty ? [] : ["handles: \(handles)"])
        return "UVLoop(\(parts.isEmpty ? "nothing open" : parts.joined(separator: "; ")))"
    }
}

extension UVLoop {
    /// What upper layers share between all that is on the loop under `key`, for example a TLS context; made when it is
    /// missing, and freed with the loop.
    ///
    /// - Parameter isUsable: whether what is there will do; what is made instead takes its place.
    package func shared<Value: AnyObject, Failure: Error>(
        _ key: some Hashable, where isUsable: (Value) -> Bool = { _ in true }, make: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        if let kept = attachments[key] as? Value, isUsable(kept) { return kept }
        let made = try make()
        attachments[key] = made
        return made
    }
}
