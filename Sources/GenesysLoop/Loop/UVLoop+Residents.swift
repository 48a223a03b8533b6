internal import CUV

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
        get { ledger.keepsRunning }
        set {
            preconditionCurrent("UVLoop.keepsRunning")
            guard isAdopted else {
                Misuse.trap("UVLoop.keepsRunning: run() would return at once; only an adopted loop is left running.")
            }
            guard !isDetached, newValue != ledger.keepsRunning else { return }
            ledger.setKeepsRunning(newValue, except: async)
            referWakeUp()
        }
    }

    /// Refers the loop to the async handle, or not, as the holds on it and the host want it.
    func referWakeUp() {
        // The async handle is open: the loop is neither dead nor detached.
        if holdCount > 0, ledger.keepsRunning { unsafe uv_ref(async.handle) } else { unsafe uv_unref(async.handle) }
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
        let handles = ledger.summary(except: isDetached ? nil : async)
        let parts = objects + (handles.isEmpty ? [] : ["handles: \(handles)"])
        return "UVLoop(\(parts.isEmpty ? "nothing open" : parts.joined(separator: "; ")))"
    }
}
