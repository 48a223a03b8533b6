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
        guard !isDetached || ledger.openCount > 0 else { return completion() }
        ledger.completions.append(completion)
        isDetaching = true
        keepsRunning = true
        considerDetaching()
    }

    /// Closes the async handle when it is the last thing of ours on an adopted loop that is to be left.
    func considerDetaching() {
        guard isDetaching, !isDetached, !isInPass, holdCount == 0, backlog.isEmpty, ledger.openCount == 1
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
        while ledger.openCount > 0, rounds < 1_000 {
            _ = unsafe uv_run(raw, UV_RUN_NOWAIT)
            rounds += 1
        }
        guard unsafe uv_loop_close(raw) == 0 else {
            Misuse.trap("A UVLoop was destroyed while handles were open on it: \(ledger.summary()).")
        }
        unsafe raw.deallocate()
    }

    /// Destroys what was on its way here to be destroyed. Blocks are released without being run.
    func dispose(_ letters: [Mailbox.Letter]) {
        for letter in letters {
            switch letter {
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
