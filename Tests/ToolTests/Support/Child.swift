import Foundation
import Testing

/// A program started by a test, with both output streams collected. It is killed if it takes too long.
final class Child: @unchecked Sendable {
    /// How a program ended.
    struct End: Equatable {
        /// The exit status; 128 + number for a signal.
        var status: Int32
        var output: [UInt8]
        var errors: String
        /// When the program ended, which may be long before a busy test continues.
        var instant: ContinuousClock.Instant

        var outputText: String { String(decoding: output, as: UTF8.self) }
    }

    let output: StreamCollector?
    let errors: StreamCollector
    private let process = Process()
    private let input = Pipe()
    private var status: Int32 = -1
    private var instant = ContinuousClock.now
    private let ended = AsyncStream<(Int32, ContinuousClock.Instant)>.makeStream()
    private let patience: any DispatchSourceTimer

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - standardInput: replaces the pipe that `send(line:)` writes to.
    ///   - standardOutput: replaces the pipe that is collected.
    ///   - terminal: what standard error is, instead of a pipe.
    ///   - readsErrors: whether standard error is read; if false, not before `errors.start()` or the end.
    ///   - mayLeak: it ends while it still holds memory, which the leak sanitizer must not report.
    ///   - variables: added to the environment.
    init(
        _ executable: URL, _ arguments: [String], standardInput: FileHandle? = nil, standardOutput: FileHandle? = nil,
        terminal: Terminal? = nil,
        readsErrors: Bool = true, mayLeak: Bool = false, variables: [String: String] = [:]
    ) throws {
        let out = Pipe()
        let err = Pipe()
        process.executableURL = executable
        process.arguments = arguments
        // A proxy of this machine must not be used for servers on loopback.
        let inherited = ProcessInfo.processInfo.environment.filter { !$0.key.lowercased().hasSuffix("_proxy") }
        var environment = inherited.merging(variables) { $1 }
        // A program that traps must end immediately: printing its stack can hang after a kill.
        environment["SWIFT_BACKTRACE"] = "enable=no"
        if mayLeak { environment["ASAN_OPTIONS", default: ""] += ":detect_leaks=0" }
        process.environment = environment
        if let standardInput { process.standardInput = standardInput } else { process.standardInput = input }
        process.standardOutput = standardOutput ?? out.fileHandleForWriting
        process.standardError = terminal?.side ?? err.fileHandleForWriting
        let ending = ended.continuation
        try process.start { process in
            let status = process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
            ending.yield((status, .now))
            ending.finish()
        }
        try out.fileHandleForWriting.close()
        try err.fileHandleForWriting.close()
        output = standardOutput == nil ? StreamCollector(out.fileHandleForReading) : nil
        errors = StreamCollector(try terminal?.screen() ?? err.fileHandleForReading, starts: readsErrors)
        let process = self.process
        patience = DispatchSource.makeTimerSource(queue: .global())
        let minutes = ToolTests.patience(2)
        patience.schedule(deadline: .now() + .seconds(60 * minutes))
        patience.setEventHandler {
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
        patience.activate()
    }

    /// The tool itself.
    static func tool(
        _ arguments: [String], standardOutput: FileHandle? = nil, readsErrors: Bool = true, mayLeak: Bool = false,
        variables: [String: String] = [:]
    ) throws -> Child {
        try Child(
            Tool.executable, arguments, standardOutput: standardOutput, readsErrors: readsErrors, mayLeak: mayLeak,
            variables: variables)
    }

    /// The number of the process.
    var identifier: Int32 { process.processIdentifier }

    var processIdentifier: Int32 { process.processIdentifier }

    func signal(_ number: Int32) {
        if process.isRunning { kill(process.processIdentifier, number) }
    }

    /// Writes a line to the program's standard input.
    func send(line: String) throws {
        try input.fileHandleForWriting.write(contentsOf: Data("\(line)\n".utf8))
    }

    /// Ends the program's standard input.
    func closeInput() throws {
        try input.fileHandleForWriting.close()
    }

    /// Waits for the end; may be called again.
    func end() async -> End {
        for await value in ended.stream { (status, instant) = value }
        // Otherwise the task would retain it for the rest of its time, unseen by the leak sanitizer.
        patience.cancel()
        errors.start()
        let text = String(decoding: await errors.all(), as: UTF8.self)
        return End(status: status, output: await output?.all() ?? [], errors: text, instant: instant)
    }
}
