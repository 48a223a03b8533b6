import ToolSupport

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Wakes a thread up: rings that nobody waits for are kept, several of them count once.
///
/// It lives as long as the process; its descriptors are never closed.
struct Doorbell: Sendable {
    private let reader: Int32
    private let writer: Int32

    init() throws(SystemCalls.Failure) {
        (reader, writer) = try SystemCalls.makePipe()
    }

    /// Any thread.
    func ring() {
        // A pipe that is full has been rung already.
        _ = try? SystemCalls.writeOnce(1, to: writer)
    }

    /// Waits for a ring; false when the time is over. -1 waits without end.
    func wait(milliseconds: Int32 = -1) -> Bool {
        while true {
            if SystemCalls.drain(reader) { return true }
            guard SystemCalls.wait(for: Int16(POLLIN), on: reader, milliseconds: milliseconds) else { return false }
        }
    }
}
