import Dispatch
import Testing

/// Runs tests that wait in a loop on a thread of their own: those that all tests share are as few as the processors.
struct OwnThread: SuiteTrait, TestTrait, TestScoping {
    private final class Executor: TaskExecutor {
        private let queue = DispatchQueue(label: "tests that wait")

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            queue.async { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }
    }

    private static let executor = Executor()

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(OwnThread.executor) { try await function() }
    }
}

extension Trait where Self == OwnThread {
    /// On a thread of their own, one after another.
    static var ownThread: Self { Self() }
}
