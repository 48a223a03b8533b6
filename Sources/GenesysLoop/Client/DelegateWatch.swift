/// Distinguishes a delegate that the host removed from one that is missing by mistake.
struct DelegateWatch {
    /// False if the host never set it, or set it to nil; it stays true when a delegate that was set is deallocated.
    private var isSet: Bool
    private var isTold = false

    init(isSet: Bool) {
        self.isSet = isSet
    }

    /// The host set the delegate.
    mutating func changed(isSet: Bool) {
        self.isSet = isSet
    }

    /// Traps with a sentence if `open()` of a `type` has no delegate to report to.
    func preconditionSet(_ type: String) {
        guard !isSet else { return }
        Misuse.trap("\(type).open() was called without a delegate: set one before, and keep it, as it is held weakly.")
    }

    /// There is no delegate for a callback.
    ///
    /// - Returns: the text of a warning; nil if the host removed the delegate, or if this was reported before.
    mutating func missed() -> String? {
        guard isSet, !isTold else { return nil }
        isTold = true
        return "its delegate is gone, which is held weakly: keep it"
    }
}
