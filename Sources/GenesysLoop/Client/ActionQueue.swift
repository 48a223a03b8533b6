/// The actions that a driver still has to perform, in the order in which they were decided.
///
/// An action may call the host, and the host may cause more actions. Those wait in the queue, so that performing never
/// nests.
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

    /// Whether performing may begin; false while it is in progress.
    mutating func begin() -> Bool {
        guard !isBusy else { return false }
        isBusy = true
        return true
    }

    /// The next action; nil ends what `begin()` began.
    mutating func pop() -> Action? {
        guard next < actions.count else {
            // Actions are rare: the queue keeps no memory in between.
            actions = []
            next = 0
            isBusy = false
            return nil
        }
        defer { next += 1 }
        return actions[next]
    }
}
