/// Distinguishes a delegate that the host removed from one that is missing by mistake.
struct DelegateWatch {
    private enum Story {
        case set
        /// The host never set it, or itself set it to nil.
        case unset
    }

    private var story: Story
    private var isTold = false

    init(isSet: Bool) {
        story = isSet ? .set : .unset
    }

    /// The host set the delegate.
    mutating func changed(isSet: Bool) {
        story = isSet ? .set : .unset
    }

    /// Traps with a sentence if `open()` of a `type` has no delegate to report to.
    func preconditionSet(_ type: String) {
        guard story == .unset else { return }
        Misuse.trap("\(type).open() was called without a delegate: set one before, and keep it, as it is held weakly.")
    }

    /// There is no delegate for a callback.
    ///
    /// - Returns: the text of a warning; nil if the host removed the delegate, or if this was reported before.
    mutating func missed() -> String? {
        guard story == .set, !isTold else { return nil }
        isTold = true
        return "its delegate is gone, which is held weakly: keep it"
    }
}
