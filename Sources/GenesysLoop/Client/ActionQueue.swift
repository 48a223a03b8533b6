/// What a driver still has to do, in the order in which it was decided.
///
/// An action may call the host, and the host may decide on more: that waits behind, so that performing never nests.
struct ActionQueue<Action> {
    private var actions = Fifo<Action>()
    /// Whether the actions are being performed.
    private(set) var isBusy = false

    var isEmpty: Bool { actions.isEmpty }
    /// The storage held for actions.
    var capacity: Int { actions.capacity }

    mutating func append(_ more: [Action]) {
        actions.append(contentsOf: more)
    }

    /// Begins performing.
    ///
    /// - Returns: false if there is nothing to perform, or if performing is under way already.
    mutating func begin() -> Bool {
        guard !isBusy, !actions.isEmpty else { return false }
        isBusy = true
        return true
    }

    /// The next action; nil ends what `begin()` began.
    mutating func pop() -> Action? {
        if let action = actions.popFirst() { return action }
        // Actions are rare: no memory is kept between them.
        actions.removeAll()
        isBusy = false
        return nil
    }
}
