/// Leaves out of a failing scenario what the failure does not need.
struct Shrinker {
    private(set) var shrunken: Scenario
    private let kind: String
    private var budget = 200

    init(_ scenario: Scenario, failingWith violation: String) {
        shrunken = scenario
        kind = Shrinker.kind(of: violation)
        var width = max(1, scenario.script.count / 2)
        while budget > 0 {
            let isSmaller = leaveOut(width)
            if width == 1, !isSmaller { break }
            if !isSmaller { width = max(1, width / 2) }
        }
    }

    /// The words of it, without times and numbers.
    private static func kind(of violation: String?) -> String {
        String((violation ?? "").filter(\.isLetter).prefix(40))
    }

    /// Leaves out runs of `width` incidents wherever it still fails without them.
    private mutating func leaveOut(_ width: Int) -> Bool {
        var isSmaller = false
        var start = 0
        while start < shrunken.script.count, budget > 0 {
            budget -= 1
            var fewer = shrunken
            fewer.script.removeSubrange(start..<min(start + width, fewer.script.count))
            let world = World(fewer)
            world.run()
            // Another failure is another matter.
            if Shrinker.kind(of: world.violation) != kind {
                start += width
            } else {
                shrunken = fewer
                isSmaller = true
            }
        }
        return isSmaller
    }
}
