#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The time that the processors spent on this process, user and system: a busy neighbor does not add to it.
enum ProcessorTime {
    /// Nanoseconds since the process began.
    static var now: Int {
        var time = timespec()
        // The structure lives for the call.
        let status = unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        precondition(status == 0, "this system has no clock of process time")
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
