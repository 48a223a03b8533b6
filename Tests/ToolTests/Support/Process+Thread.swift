import Foundation

/// Processes started by a thread of their own.
///
/// A process refers weakly to the run loop of the thread that started it, and what that takes is given back when the
/// thread ends: a thread of Swift's concurrency does not, which the leak sanitizer reports. A process must not have a
/// termination handler either: Foundation never releases one that has.
extension Process {
    /// Starts; calls `didEnd` from the thread, once.
    func start(didEnd: @escaping @Sendable (Process) -> Void) throws {
        let result = Box()
        let isStarted = DispatchSemaphore(value: 0)
        Thread.detachNewThread { [self] in
            // A program inherits the mask of this thread, which has it from one of Dispatch's, where nearly all
            // signals are blocked: cmake, for one, waits for SIGCHLD.
            var none = sigset_t()
            // Both read or write a variable of this function, during the call.
            unsafe sigemptyset(&none)
            unsafe pthread_sigmask(SIG_SETMASK, &none, nil)
            result.value = Result { try run() }
            isStarted.signal()
            guard case .success = result.value else { return }
            waitUntilExit()
            didEnd(self)
        }
        isStarted.wait()
        try result.value.get()
    }

    /// Runs to the end; whether it was started and ended with 0.
    func succeeds() -> Bool {
        let hasEnded = DispatchSemaphore(value: 0)
        guard (try? start(didEnd: { _ in hasEnded.signal() })) != nil else { return false }
        hasEnded.wait()
        return terminationStatus == 0
    }

    /// Written before the semaphore is signaled, read after it.
    private final class Box: @unchecked Sendable {
        var value: Result<Void, any Error> = .success(())
    }
}
