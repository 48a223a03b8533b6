import Foundation

/// Starts processes on threads of their own.
///
/// A process refers weakly to the run loop of the thread that started it, whose memory is freed when the thread ends. A
/// thread of Swift's concurrency does not end, which the leak sanitizer reports. A process must also not have a
/// termination handler, because Foundation never releases a process with one.
extension Process {
    /// Starts the process; calls `didEnd` from the thread, once.
    func start(didEnd: @escaping @Sendable (Process) -> Void) throws {
        let result = Box()
        let isStarted = DispatchSemaphore(value: 0)
        Thread.detachNewThread { [self] in
            // A program inherits the mask of this thread, which inherits that of a Dispatch thread, where almost all
            // signals are blocked. cmake, for example, waits for SIGCHLD.
            var none = sigset_t()
            // Both use a variable of this function during the call.
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

    /// Runs to the end; returns whether it started and ended with 0.
    func succeeds() -> Bool {
        let hasEnded = DispatchSemaphore(value: 0)
        guard (try? start(didEnd: { _ in hasEnded.signal() })) != nil else { return false }
        hasEnded.wait()
        return terminationStatus == 0
    }

    /// Written before the semaphore is signaled, and read after it.
    private final class Box: @unchecked Sendable {
        var value: Result<Void, any Error> = .success(())
    }
}
