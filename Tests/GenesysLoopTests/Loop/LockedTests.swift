import Foundation
import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(1)))) struct LockedTests {
    @Test func `no change is lost between threads`() {
        let total = Locked(0)
        let running = Locked(4)
        let done = DispatchSemaphore(value: 0)
        for _ in 0..<4 {
            Thread.detachNewThread {
                for _ in 0..<5_000 { total.withLock { $0 += 1 } }
                let left = running.withLock { count in
                    count -= 1
                    return count
                }
                if left == 0 { done.signal() }
            }
        }
        done.wait()
        #expect(total.withLock { $0 } == 20_000)
    }

    @Test func `the value dies with its lock`() {
        final class Witness: Sendable {}
        weak var witness: Witness?
        do {
            let locked = Locked(Witness())
            locked.withLock { witness = $0 }
            #expect(witness != nil)
        }
        #expect(witness == nil)
    }
}
