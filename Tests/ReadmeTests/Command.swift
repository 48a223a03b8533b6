import Foundation
import GenesysLoop

/// A program that a test runs, with its streams as lines. It is killed if it takes too long.
final class Command: Sendable {
    /// How a program ended.
    struct End: Sendable {
        /// The exit status; 128 + number for a signal.
        let status: Int32
        let output: String
        let errors: String
    }

    /// The lines of standard output, without their ends.
    let output: Lines
    /// The lines of standard error, without their ends.
    let errors: Lines
    private let status = Locked<Int32?>(nil)
    private let identifier: pid_t
    private let ended: AsyncStream<Int32>

    /// - Parameters:
    ///   - variables: added to the environment.
    ///   - folder: the current folder.
    ///   - readsErrors: whether standard error is read from the beginning, or only when its lines are asked for.
    init(
        _ program: URL, _ arguments: [String], variables: [String: String] = [:], in folder: URL? = nil,
        readsErrors: Bool = true
    ) throws {
        let (out, err) = (Pipe(), Pipe())
        let (ended, ending) = AsyncStream.makeStream(of: Int32.self)
        identifier = try Command.start(ending) { process in
            process.executableURL = program
            process.arguments = arguments
            // A proxy of this machine must not be used for servers on loopback.
            let inherited = ProcessInfo.processInfo.environment.filter { !$0.key.lowercased().hasSuffix("_proxy") }
            process.environment = inherited.merging(variables) { $1 }
            if let folder { process.currentDirectoryURL = folder }
            process.standardInput = FileHandle.nullDevice
            (process.standardOutput, process.standardError) = (out, err)
        }
        try out.fileHandleForWriting.close()
        try err.fileHandleForWriting.close()
        self.ended = ended
        output = Lines(out.fileHandleForReading)
        errors = Lines(err.fileHandleForReading)
        output.start()
        if readsErrors { errors.start() }
    }

    /// Starts a process on a thread of its own, as it must be: see `Process+Thread.swift` of the tests of the tool.
    private static func start(
        _ ending: AsyncStream<Int32>.Continuation, _ setUp: @escaping @Sendable (Process) -> Void
    ) throws -> pid_t {
        let isStarted = DispatchSemaphore(value: 0)
        let result = Locked<Result<pid_t, any Error>>(.success(0))
        let patience = DispatchTime.now() + .seconds(60 * patience(2))
        Thread.detachNewThread {
            var none = sigset_t()
            // Both use a variable of this function during the call.
            unsafe sigemptyset(&none)
            unsafe pthread_sigmask(SIG_SETMASK, &none, nil)
            let process = Process()
            setUp(process)
            do {
                try process.run()
            } catch {
                result.withLock { $0 = .failure(error) }
                isStarted.signal()
                return
            }
            let identifier = process.processIdentifier
            result.withLock { $0 = .success(identifier) }
            isStarted.signal()
            let guardian = DispatchWorkItem { kill(identifier, SIGKILL) }
            DispatchQueue.global().asyncAfter(deadline: patience, execute: guardian)
            process.waitUntilExit()
            guardian.cancel()
            ending.yield(process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0))
            ending.finish()
        }
        isStarted.wait()
        return try result.withLock { $0 }.get()
    }

    func signal(_ number: Int32) { kill(identifier, number) }

    /// Waits for the end; may be called again.
    func end() async -> End {
        for await value in ended { status.withLock { $0 = value } }
        let (out, err) = (await output.all(), await errors.all())
        return End(status: status.withLock { $0 } ?? -1, output: out, errors: err)
    }

    /// Runs a program to its end.
    static func run(
        _ program: URL, _ arguments: [String], variables: [String: String] = [:], in folder: URL? = nil
    ) async throws -> End {
        await (try Command(program, arguments, variables: variables, in: folder)).end()
    }

    /// The program with this name on the path, or nil.
    static func find(_ name: String) -> URL? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.map { URL(filePath: String($0)).appending(path: name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    /// The folder of the programs of the build, which is that of the tests.
    static let programs: URL = {
        let beside = Bundle.main.executableURL?.deletingLastPathComponent()
        let folders = [
            beside, Bundle.main.bundleURL.deletingLastPathComponent(), Page.root.appending(path: ".build/debug"),
        ].compactMap { $0 }
        return folders.first { FileManager.default.isExecutableFile(atPath: $0.appending(path: "genesys-loop").path) }
            ?? Page.root.appending(path: ".build/debug")
    }()

    static let tool = programs.appending(path: "genesys-loop")
}

/// The lines of a pipe, read by a thread.
final class Lines: Sendable {
    private let handle: FileHandle
    private let lines: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation
    private let state = Locked((isStarted: false, text: ""))

    init(_ handle: FileHandle) {
        self.handle = handle
        (lines, continuation) = AsyncStream.makeStream()
    }

    /// Begins to read. Calling it again does nothing.
    func start() {
        let isFirst = state.withLock { state in
            defer { state.isStarted = true }
            return !state.isStarted
        }
        guard isFirst else { return }
        Thread.detachNewThread { [self] in
            var rest = Data()
            while case let data = handle.availableData, !data.isEmpty {
                rest += data
                while let end = rest.firstIndex(of: 0x0A) {
                    add(String(decoding: rest[rest.startIndex...end], as: UTF8.self))
                    rest = rest[rest.index(after: end)...]
                }
            }
            if !rest.isEmpty { add(String(decoding: rest, as: UTF8.self)) }
            continuation.finish()
        }
    }

    private func add(_ line: String) {
        state.withLock { $0.text += line }
        continuation.yield(line.hasSuffix("\n") ? String(line.dropLast()) : line)
    }

    /// The next line; nil at the end.
    func next() async -> String? {
        start()
        for await line in lines { return line }
        return nil
    }

    /// Everything, at the end.
    fileprivate func all() async -> String {
        while await next() != nil {}
        return state.withLock { $0.text }
    }
}

/// Lends an empty folder, and removes it afterwards.
func withTemporaryFolder<T>(_ body: (URL) async throws -> T) async throws -> T {
    let folder = FileManager.default.temporaryDirectory.appending(path: "page-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}
