/// Removes incidents that a failure does not need from its scenario.
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

    /// The words of a violation, without times and numbers.
    private static func kind(of violation: String?) -> String {
        String((violation ?? "").filter(\.isLetter).prefix(40))
    }

    /// Removes runs of `width` incidents if the failure remains without them.
    private mutating func leaveOut(_ width: Int) -> Bool {
        var isSmaller = false
        var start = 0
        while start < shrunken.script.count, budget > 0 {
            budget -= 1
            var fewer = shrunken
            fewer.script.removeSubrange(start..<min(start + width, fewer.script.count))
            let world = World(fewer)
            world.run()
            // A different failure does not count.
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
