import Foundation
import Testing

/// `Examples/Python/host.py`: a channel on asyncio's loop, with uvloop and ctypes.
@Suite(.timeLimit(.minutes(patience(3)))) struct PythonHostTests {
    private static let python = URL(filePath: "/usr/bin/python3")
    private static let topic = "v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.presence"

    /// Test threads block signals, and child processes inherit the mask.
    private static let unblocked = """
        import os, signal, sys
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.execv(sys.executable, [sys.executable] + sys.argv[1:])
        """

    private static func start(_ arguments: [String], variables: [String: String] = [:]) throws -> Child {
        let library = CProgram.library.appending(path: "libGenesysLoopC.so").path
        return try Child(
            python, ["-c", unblocked, CProgram.root.appending(path: "Examples/Python/host.py").path] + arguments,
            variables: ["GENESYS_LOOP_LIBRARY": library].merging(variables) { $1 })
    }

    /// Whether the system's Python has uvloop; prints a line if not.
    private static func isPossible() async throws -> Bool {
        guard CProgram.isPossible else { return false }
        if FileManager.default.isExecutableFile(atPath: python.path),
            await (try Child(python, ["-c", "import uvloop"])).end().status == 0
        {
            return true
        }
        print("SKIPPED: the host in Python was not tested: /usr/bin/python3 has no uvloop")
        return false
    }

    @Test func `a program with asyncio receives on its loop, and leaves it as it was`() async throws {
        guard try await PythonHostTests.isPossible() else { return }
        try await Simulator.with("--rate", "1000") { simulator in
            let (uri, ca) = (simulator.announcement.uri, simulator.announcement.caFile)
            let end = await (try PythonHostTests.start([uri, ca, "250", PythonHostTests.topic])).end()
            #expect(end.status == 0, "\(end.errors)")
            #expect(end.errors.isEmpty)
            let lines = end.outputText.split(separator: "\n")
            #expect(lines.count == 250)
            #expect(lines.allSatisfy { $0.hasPrefix("{\"topicName\":\"\(PythonHostTests.topic)\"") })

            // Interrupted while running, it also leaves the loop before uvloop closes it.
            let host = try PythonHostTests.start([uri, ca, "1000000", PythonHostTests.topic])
            #expect(await host.output?.nextLine()?.hasPrefix("{") == true)
            host.signal(SIGINT)
            let interrupted = await host.end()
            #expect(interrupted.status == 130, "\(interrupted.errors)")
            #expect(interrupted.errors.isEmpty)
        }
    }

    @Test func `an uvloop with a libuv of its own is refused`() async throws {
        guard FileManager.default.isExecutableFile(atPath: PythonHostTests.python.path) else {
            print("SKIPPED: the host in Python was not tested: there is no /usr/bin/python3")
            return
        }
        // Any module of that name that does not load libuv.so into the process.
        let folder = FileManager.default.temporaryDirectory.appending(path: "uvloop-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try "def install(): pass\n".write(to: folder.appending(path: "uvloop.py"), atomically: true, encoding: .utf8)
        let end = await
            (try PythonHostTests.start(
                ["wss://127.0.0.1:1/channels/secret", "ca", "1", "t"], variables: ["PYTHONPATH": folder.path])).end()
        #expect(end.status == 1)
        #expect(end.errors.hasPrefix("host.py: this uvloop brings a libuv of its own"), "\(end.errors)")
    }

    @Test func `what is wrong is told in a sentence, without the secret`() async throws {
        guard try await PythonHostTests.isPossible() else { return }
        let end = await (try PythonHostTests.start(["wss://127.0.0.1:1/channels/secret", "no-such-file", "1", "t"]))
            .end()
        #expect(end.status == 1)
        #expect(end.errors.hasPrefix("host.py: ") && end.errors.contains("no-such-file"))
        #expect(!end.errors.contains("secret"))
    }
}
