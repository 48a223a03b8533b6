import GenesysLoop

/// Records what the code of the pages prints, instead of standard output.
enum Printed {
    private struct State {
        var lines: [String] = []
        var whenPrinted: @Sendable ([String]) -> Void = { _ in }
    }

    private static let state = Locked(State())

    static var count: Int { state.withLock { $0.lines.count } }

    /// Forgets what was printed.
    ///
    /// - Parameter whenPrinted: called after each line, with all lines.
    static func begin(_ whenPrinted: @escaping @Sendable ([String]) -> Void = { _ in }) {
        state.withLock { $0 = State(whenPrinted: whenPrinted) }
    }

    static func add(_ line: String) {
        let (lines, whenPrinted) = state.withLock { state in
            state.lines.append(line)
            return (state.lines, state.whenPrinted)
        }
        whenPrinted(lines)
    }

    /// All lines since `begin`.
    static func end() -> [String] {
        state.withLock { state in
            defer { state = State() }
            return state.lines
        }
    }
}

/// Replaces the standard library's function in this target.
func print(_ items: Any...) {
    Printed.add(items.map { "\($0)" }.joined(separator: " "))
}
