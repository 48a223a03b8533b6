/// What a driver still has to do, in the order in which it was decided.
///
/// An action may call the host, and the host may decide on more: that waits behind, so that performing never nests.
struct ActionQueue<Action> {
    private var actions: [Action] = []
    private var next = 0
    /// Whether the actions are being performed.
    private(set) var isBusy = false

    var isEmpty: Bool { next == actions.count }
    /// The storage held for actions.
    var capacity: Int { actions.capacity }

    mutating func append(_ more: [Action]) {
        actions += more
    }

    /// Whether performing may begin; false when it is under way already.
    mutating func begin() -> Bool {
        guard !isBusy else { return false }
        isBusy = true
        return true
    }

    /// The next action; nil ends what `begin()` began.
    mutating func pop() -> Action? {
        guard next < actions.count else {
            // What is to be done is rare: between two times no memory is kept.
            actions = []
            next = 0
            isBusy = false
            return nil
        }
        defer { next += 1 }
        return actions[next]
    }
}
