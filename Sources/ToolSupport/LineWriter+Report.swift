extension LineWriter {
    /// What the thread reports, on itself.
    package enum Report: Equatable, Sendable {
        /// The queue was full and is down to half of its limit.
        case drained
        /// Writing failed; nothing more will be written.
        case failed
        /// `reopen()` has taken effect, or why it could not: then the old file is still written to.
        case reopened(SystemCalls.Failure?)
    }

    /// How it ended.
    package enum Outcome: Equatable, Sendable {
        /// All lines are written.
        case written
        /// The reader is gone.
        case closedPipe
        /// Another error.
        case failed(SystemCalls.Failure)
        /// The reader took nothing for a while.
        case abandoned(byteCount: Int)
    }
}
