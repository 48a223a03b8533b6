/// Whether a channel or a client has a delegate because, or has none although, its host wanted it so.
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

    /// There is no delegate to be told.
    ///
    /// - Returns: what is to be said of it; nil where that is what the host wanted, and the second time.
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
