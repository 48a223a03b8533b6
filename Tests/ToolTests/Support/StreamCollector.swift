import Foundation

/// Reads a pipe to its end on a thread, and lets a test wait for lines.
final class StreamCollector: @unchecked Sendable {
    private let condition = NSCondition()
    private var bytes: [UInt8] = []
    private var position = 0
    private var isAtEnd = false
    private var isStarted = false
    private let handle: FileHandle

    /// - Parameter starts: whether it begins to read immediately.
    init(_ handle: FileHandle, starts: Bool = true) {
        self.handle = handle
        if starts { start() }
    }

    /// Begins to read. Calling it again does nothing.
    func start() {
        let isFirst = condition.withLock {
            defer { isStarted = true }
            return !isStarted
        }
        guard isFirst else { return }
        Thread.detachNewThread { [self] in
            while true {
                let data = handle.availableData
                condition.withLock {
                    bytes += data
                    isAtEnd = data.isEmpty
                    condition.broadcast()
                }
                if data.isEmpty { return }
            }
        }
    }

    /// All data, after the other side has closed.
    func all() async -> [UInt8] {
        await waiting { [self] in
            while !isAtEnd { condition.wait() }
            return bytes
        }
    }

    /// The next line without its end; nil at the end.
    func nextLine() async -> String? {
        await waiting { [self] in
            while true {
                if let end = bytes[position...].firstIndex(of: 0x0A) {
                    defer { position = end + 1 }
                    return String(decoding: bytes[position..<end], as: UTF8.self)
                }
                if isAtEnd { return nil }
                condition.wait()
            }
        }
    }

    /// Waits until the data contain a text, or for the end; returns whether they do.
    func contains(_ text: String) async -> Bool {
        await waiting { [self] in
            while true {
                if bytes.firstRange(of: Array(text.utf8)) != nil { return true }
                if isAtEnd { return false }
                condition.wait()
            }
        }
    }

    /// Waits off the cooperative threads. A stuck program is killed by its own deadline.
    private func waiting<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [condition] in
                continuation.resume(returning: condition.withLock { body() })
            }
        }
    }
}
