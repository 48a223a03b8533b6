import Dispatch

/// Wakes a thread up; a ring without a waiting thread is kept.
///
/// It is a semaphore, so it needs no descriptor and cannot fail.
struct ThreadSignal: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    /// Any thread.
    func ring() { semaphore.signal() }

    /// Waits for a ring, or until the time is over; nil waits without end.
    func wait(for time: Duration? = nil) {
        guard let time else { return semaphore.wait() }
        let (seconds, attoseconds) = time.components
        let nanoseconds = Int(clamping: seconds) * 1_000_000_000 + Int(clamping: attoseconds / 1_000_000_000)
        _ = semaphore.wait(timeout: .now() + .nanoseconds(max(0, nanoseconds)))
    }
}
