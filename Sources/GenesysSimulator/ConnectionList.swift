internal import GenesysLoop

/// The connections of a server: all of them, those with output, and those whose handles are closing.
struct ConnectionList {
    private var members: [ObjectIdentifier: ServerConnection] = [:]
    /// Connections with something to send in the next pass.
    private var unflushed: [ServerConnection] = []
    /// Connections that are gone except for the close callbacks of their handles.
    private var endingGroups: [HandleGroup] = []

    var count: Int { members.count }
    var all: [ServerConnection] { Array(members.values) }

    /// Whether no connection and no handle is left.
    var areGone: Bool {
        mutating get {
            endingGroups.removeAll { $0.openCount == 0 }
            return members.isEmpty && endingGroups.isEmpty
        }
    }

    mutating func add(_ connection: ServerConnection) {
        members[ObjectIdentifier(connection)] = connection
    }

    mutating func remove(_ connection: ServerConnection, endingWith group: HandleGroup) {
        members[ObjectIdentifier(connection)] = nil
        endingGroups.append(group)
    }

    mutating func addUnflushed(_ connection: ServerConnection) {
        unflushed.append(connection)
    }

    mutating func takeUnflushed() -> [ServerConnection] {
        endingGroups.removeAll { $0.openCount == 0 }
        var ready: [ServerConnection] = []
        swap(&ready, &unflushed)
        return ready
    }
}

/// The state of a server between its initializer and the close of its last handle.
struct ServerLife {
    enum State: Equatable {
        case idle, started, closing, closed
    }

    var state: State = .idle
    private var completions: [() -> Void] = []

    /// `close()` of a server: remembers what to call at the end, and keeps the server until then.
    ///
    /// - Returns: whether the server has to close what is open.
    mutating func closeRequested(
        by server: any LoopTask, on loop: UVLoop, completion: (() -> Void)?
    ) -> Bool {
        if let completion { completions.append(completion) }
        switch state {
        case .idle, .started:
            state = .closing
            loop.retain(server)
            return true
        case .closing:
            return false
        case .closed:
            loop.retain(server)
            loop.schedule(server)
            return false
        }
    }

    /// The closures to call once `close()` was called and no handle is open; nil before.
    mutating func end(isEmpty: Bool) -> [() -> Void]? {
        switch state {
        case .idle, .started:
            return nil
        case .closing:
            guard isEmpty else { return nil }
            state = .closed
        case .closed:
            break
        }
        defer { completions = [] }
        return completions
    }
}
