@testable import GenesysLoop

extension UVLoop {
    /// Calls `body` after some turns of the loop.
    func afterTurns(_ count: Int, _ body: @escaping () -> Void) {
        guard count > 0 else { return body() }
        let bound = LoopBound(body, on: self)
        execute { self.afterTurns(count - 1, bound.value) }
    }
}
