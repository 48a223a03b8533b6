/// Distinguishes a delegate that the host removed from one that is missing by mistake.
struct DelegateWatch {
    private enum Story {
        case neverSet
        case set
        /// The host itself set it to nil.
        case removed
    }

    private var story: Story
    private var isTold = false

    init(isSet: Bool) {
        story = isSet ? .set : .neverSet
    }

    /// The host set the delegate.
    mutating func changed(isSet: Bool) {
        story = isSet ? .set : .removed
    }

    /// There is no delegate for a callback.
    ///
    /// - Returns: the text of a warning; nil if the host removed the delegate, or if this was reported before.
    mutating func missed() -> String? {
        guard !isTold else { return nil }
        switch story {
        case .removed:
            return nil
        case .neverSet:
            isTold = true
            return "it was never given a delegate"
        case .set:
            isTold = true
            return "its delegate is gone, which is held weakly: keep it"
        }
    }
}
