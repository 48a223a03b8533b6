#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// What the system says about this process.
///
/// Reading it takes some ten microseconds and never waits: the clocks of the process, and on Linux `/proc/self`, which
/// is memory. Descriptors are counted by Linux 6.2 and later in the size of `/proc/self/fd`; going through that folder
/// would take too long for a process with ten thousand of them.
package struct ProcessStatistics: Sendable {
    /// User and system time.
    package var cpuTime: Duration
    package var residentByteCount: Int?
    package var openDescriptorCount: Int?
    package var maxDescriptorCount: Int?
    /// Since 1970.
    package var startTime: Duration?

    /// Reads everything now. May be called on any thread.
    package init() {
        cpuTime = ProcessStatistics.time(CLOCK_PROCESS_CPUTIME_ID)
        startTime = ProcessStatistics.start
        residentByteCount = ProcessStatistics.readResident()
        openDescriptorCount = ProcessStatistics.readDescriptorCount()
        maxDescriptorCount = ProcessStatistics.readDescriptorLimit()
    }

    private static func readDescriptorLimit() -> Int? {
        #if canImport(Glibc)
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
        let resource = RLIMIT_NOFILE
        #endif
        var limit = rlimit()
        // The variable is alive during the call.
        guard unsafe getrlimit(resource, &limit) == 0 else { return nil }
        return Int(clamping: limit.rlim_cur)
    }

    private static func time(_ clock: clockid_t) -> Duration {
        var time = timespec()
        // The variable is alive during the call, which can fail only for a clock that does not exist.
        unsafe clock_gettime(clock, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}

#if os(Linux)
extension ProcessStatistics {
    /// The start is in clock ticks since the system was started: field 22, the 20th after the name in parentheses.
    private static let start: Duration? = {
        let fields = contents("/proc/self/stat").split(separator: UInt8(ascii: ")")).last ?? []
        let numbers = fields.split(separator: UInt8(ascii: " "))
        guard numbers.count > 19, let ticks = Int(String(decoding: numbers[19], as: UTF8.self)) else { return nil }
        let sinceBoot = Duration.milliseconds(ticks * 1_000 / sysconf(Int32(_SC_CLK_TCK)))
        return time(CLOCK_REALTIME) - time(CLOCK_BOOTTIME) + sinceBoot
    }()

    private static func readResident() -> Int? {
        let numbers = contents("/proc/self/statm").split(separator: UInt8(ascii: " "))
        guard numbers.count > 1 else { return nil }
        return Int(String(decoding: numbers[1], as: UTF8.self)).map { $0 * sysconf(Int32(_SC_PAGESIZE)) }
    }

    private static func readDescriptorCount() -> Int? {
        var status = stat()
        // The variable is alive during the call.
        guard unsafe stat("/proc/self/fd", &status) == 0, status.st_size > 0 else { return nil }
        return Int(status.st_size)
    }

    /// The first 512 bytes of a file of `/proc`; empty if it cannot be read.
    private static func contents(_ path: String) -> [UInt8] {
        // The path is alive during the call.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        // The buffer is as long as stated, and alive during the call.
        return unsafe [UInt8](unsafeUninitializedCapacity: 512) { buffer, count in
            count = max(0, unsafe read(file, buffer.baseAddress, buffer.count))
        }
    }
}
#else
extension ProcessStatistics {
    private static let start: Duration? = nil
    private static func readResident() -> Int? { nil }
    private static func readDescriptorCount() -> Int? { nil }
}
#endif
