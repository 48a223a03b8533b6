import Foundation
import Testing

/// Files of the command line that can be read only once: pipes made by a shell's `<(…)`.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/bin/bash"), "SKIPPED: it needs bash"))
struct ReadOnceTests {
    private func run(_ program: URL, _ script: String, _ arguments: [String]) async throws -> Child.End {
        await (try Child(URL(filePath: "/bin/bash"), ["-c", script, program.path] + arguments)).end()
    }

    @Test func `certificates, topics and a client's identity may come from pipes, one of them for two options`()
        async throws
    {
        let folder = FileManager.default.temporaryDirectory.appending(path: "pipes-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try await Simulator.with("--certificates", folder.path) { simulator in
            let script = #"""
                exec 3< <(cat "$3/server.pem" "$3/server-key.pem")
                exec "$0" listen --uri "$1" --ca-file <(cat "$2") --topics-file <(echo v2.a) --count 1 \
                    --client-certificate /dev/fd/3 --client-key /dev/fd/3
                """#
            let announced = simulator.announcement
            let end = try await run(Tool.executable, script, [announced.uri, announced.caFile, folder.path])
            #expect(end.status == 0, "\(end.errors)")
        }
    }

    @Test(arguments: [
        #"listen --uri wss://127.0.0.1:$1/ --topic v2.a --proxy https://127.0.0.1:$1 --proxy-ca-file <(cat "$2")"#,
        #"listen --uri wss://127.0.0.1:$1/ --topic v2.a --proxy https://127.0.0.1:$1 --ca-file <(cat "$2")"#,
        #"listen --uri ws://127.0.0.1:$1/ --topic v2.a --ca-file <(cat "$2")"#,
        #"wss://127.0.0.1:$1/ --ca-file <(cat "$2")"#, #"ws://127.0.0.1:$1/ --ca-file <(cat "$2")"#,
    ]) func `a pipe is read before it is needed, and not again`(options: String) async throws {
        let held = try HeldPort()
        try await Simulator.with { simulator in
            let isListen = options.hasPrefix("listen")
            let script = "exec \"$0\" \(options)\(isListen ? " --reconnect never" : "")"
            let end = try await run(
                isListen ? Tool.executable : Tool.echo, script, ["\(held.port)", simulator.announcement.caFile])
            #expect(end.status == 69, "\(end.errors)")
            #expect(end.errors.contains("connection refused"), "\(end.errors)")
        }
    }

    @Test(arguments: ["- < <(echo v2.a)", "- <<< 'v2.a # a comment'"])
    func `topics may come from standard input`(source: String) async throws {
        try await Simulator.with { simulator in
            let script = #"exec "$0" listen --uri "$1" --ca-file "$2" --count 1 --topics-file \#(source)"#
            let announced = simulator.announcement
            let end = try await run(Tool.executable, script, [announced.uri, announced.caFile])
            #expect(end.status == 0, "\(end.errors)")
        }
    }

    @Test func `a script may come from a pipe`() async throws {
        let script = #"exec "$0" simulate --script <(echo '{"steps":[{"at":0,"do":"stop"}]}')"#
        let end = try await Slots.taken { try await run(Tool.executable, script, []) }
        #expect(end.status == 0, "\(end.errors)")
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `a signal ends a program that waits for a pipe`(signal: Int32) async throws {
        let pipe = FileManager.default.temporaryDirectory.appending(path: "pipe-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: pipe) }
        // The paths are C strings, valid during each call.
        try #require(unsafe mkfifo(pipe.path, 0o600) == 0)
        try await Slots.taken {
            let child = try Child.tool(["listen", "--uri", "ws://localhost/", "--topics-file", pipe.path])
            // Waits until the program has opened the other end.
            let descriptor = unsafe open(pipe.path, O_WRONLY)
            child.signal(signal)
            #expect(await child.end().status == 128 + signal)
            close(descriptor)
        }
    }
}
