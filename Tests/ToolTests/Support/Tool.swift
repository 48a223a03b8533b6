import Foundation
import Testing

/// The built executables, and how to run them.
enum Tool {
    /// `genesys-loop`.
    static let executable = built("genesys-loop")
    /// `websocket-echo`.
    static let echo = built("websocket-echo")
    /// `Examples/StreamReader`.
    static let streamReader = built("stream-reader")

    /// Next to the test bundle.
    private static func built(_ name: String) -> URL {
        let beside = Bundle.main.executableURL?.deletingLastPathComponent()
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let folders = [
            beside, Bundle.main.bundleURL, Bundle.main.bundleURL.deletingLastPathComponent(),
            root.appending(path: ".build/debug"),
        ]
        let files = folders.compactMap { $0?.appending(path: name) }
        return files.first { FileManager.default.isExecutableFile(atPath: $0.path) } ?? files[files.count - 1]
    }

    /// Runs the tool to its end.
    static func run(_ arguments: [String], mayLeak: Bool = false) async throws -> Child.End {
        try await Slots.taken { await (try Child.tool(arguments, mayLeak: mayLeak)).end() }
    }

    /// The sentences of standard error without their times; every line must have one.
    static func sentences(_ errors: String) throws -> [String] {
        try errors.split(separator: "\n").map { line in
            let line = try #require(
                line.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z genesys-loop: (.+)/), "\(line)")
            return String(line.1)
        }
    }

    /// The events of `--events`; every line must be an event.
    static func events(_ errors: String) throws -> [[String: Any]] {
        try errors.split(separator: "\n").map { line in
            let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
            let event = try #require(value as? [String: Any])
            let at = try #require(event["at"] as? String)
            #expect(at.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
            return event
        }
    }
}

/// Limits how many tests have processes at a time: enough to wait for several, few enough for a small machine.
final class Slots: @unchecked Sendable {
    private static let shared = Slots(4)

    private let lock = NSLock()
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    private init(_ count: Int) {
        free = count
    }

    /// Runs a test's processes when a slot is free. Must not be nested.
    static func taken<T>(_ body: () async throws -> T) async rethrows -> T {
        await shared.take()
        defer { shared.give() }
        return try await body()
    }

    private func take() async {
        await withCheckedContinuation { continuation in
            let isFree = lock.withLock {
                guard free == 0 else {
                    free -= 1
                    return true
                }
                waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    private func give() {
        let next: CheckedContinuation<Void, Never>? = lock.withLock {
            guard waiting.isEmpty else { return waiting.removeFirst() }
            free += 1
            return nil
        }
        next?.resume()
    }
}
