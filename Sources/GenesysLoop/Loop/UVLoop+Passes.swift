internal import CUV

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
        if isInPass { passes.keepUntilDrained(object) }
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
    package func schedule(_ pass: any LoopTask) {
        guard passes.append(pass), !isInPass else { return }
        wakeForPasses()
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
            while budget > 0, let pass = passes.next() {
                pass.runTask()
                budget -= 1
            }
            // What dies here may schedule passes in its turn.
        } while !passes.takeKept().isEmpty
        if !passes.isEmpty { wakeForPasses() }
    }

    func wakeForPasses() {
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
