import Foundation
import GenesysLoop
import GenesysSimulator
import Testing

/// SIGHUP and SIGUSR1.
@Suite(.timeLimit(.minutes(patience(2)))) struct HangupTests {
    private static let reread = "are read again"
    private static let kept = "stay as they were read before"

    @Test func `a replaced CA file counts from the next connection on, and one that cannot be used never`()
        async throws
    {
        try await OwnService.with(tls: true) { service, folder in
            let file = folder.appending(path: "ca.pem")
            try Data(service.certificate).write(to: file)
            let child = try service.listen(["--ca-file", file.path])
            #expect(await child.event(with: "subscribed") != nil)
            let mistakes: [() throws -> Void] = [
                { try Data("nonsense".utf8).write(to: file) },
                { try FileManager.default.removeItem(at: file) },
                // The path is a C string, valid during the call.
                { try #require(unsafe mkfifo(file.path, 0o600) == 0) },
            ]
            for mistake in mistakes {
                try mistake()
                child.signal(SIGHUP)
                #expect(await child.event(with: Self.kept)?.contains(file.path) == true)
            }
            service.disconnect()
            #expect(await child.event(with: "recovered") != nil)
            // Another authority.
            try FileManager.default.removeItem(at: file)
            try Data(try SimulatorCertificates.inMemory().caCertificatePEM).write(to: file)
            child.signal(SIGHUP)
            #expect(await child.event(with: Self.reread) != nil)
            service.disconnect()
            let end = await child.end()
            #expect(end.status == 77, "\(end.errors)")
        }
    }

    @Test func `a client's certificate and its key are replaced together or not at all`() async throws {
        try await OwnService.with(tls: true) { service, folder in
            let (ca, used) = (folder.appending(path: "ca.pem"), folder.appending(path: "used"))
            try Data(service.certificate).write(to: ca)
            for name in ["used", "other"] {
                _ = try SimulatorCertificates.folder(folder.appending(path: name).path, host: nil)
            }
            let child = try service.listen([
                "--ca-file", ca.path, "--client-certificate", used.appending(path: "server.pem").path, "--client-key",
                used.appending(path: "server-key.pem").path,
            ])
            #expect(await child.event(with: "subscribed") != nil)
            for (name, answer) in [("server-key.pem", Self.kept), ("server.pem", Self.reread)] {
                try FileManager.default.removeItem(at: used.appending(path: name))
                try FileManager.default.copyItem(
                    at: folder.appending(path: "other/\(name)"), to: used.appending(path: name))
                child.signal(SIGHUP)
                #expect(await child.event(with: "for TLS")?.contains(answer) == true)
            }
            child.signal(SIGTERM)
            #expect(await child.end().status == 0)
        }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/bin/bash"), "SKIPPED: it needs bash"))
    func `a CA file that was a pipe keeps its content, with one warning`() async throws {
        try await OwnService.with(tls: true) { service, folder in
            let file = folder.appending(path: "ca.pem")
            try Data(service.certificate).write(to: file)
            let script = #"exec "$0" listen --uri "$1" --topic v2.a --events --ca-file <(cat "$2")"#
            let child = try Child(
                URL(filePath: "/bin/bash"), ["-c", script, Tool.executable.path, service.uri, file.path])
            #expect(await child.event(with: "subscribed") != nil)
            child.signal(SIGHUP)
            #expect(await child.event(with: "its content stays") != nil)
            child.signal(SIGHUP)
            service.disconnect()
            #expect(await child.event(with: "recovered") != nil)
            child.signal(SIGTERM)
            let end = await child.end()
            #expect(end.status == 0)
            #expect(end.errors.components(separatedBy: "its content stays").count == 2, "\(end.errors)")
        }
    }

    @Test func `a file that cannot be opened again leaves the old one in use`() async throws {
        try await OwnService.with { service, folder in
            let (file, rotated) = (folder.appending(path: "lines"), folder.appending(path: "lines.1"))
            let child = try service.listen(["--output", file.path, "--count", "1"])
            #expect(await child.event(with: "subscribed") != nil)
            try FileManager.default.moveItem(at: file, to: rotated)
            try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
            child.signal(SIGHUP)
            #expect(await child.event(with: "cannot be opened again: illegal operation on a directory") != nil)
            service.publish(0..<1)
            #expect(await child.end().status == 0)
            #expect(try String(contentsOf: rotated, encoding: .utf8).hasSuffix("}\n"))
        }
    }

    @Test func `in every phase SIGHUP and SIGUSR1 do their work, a thousand times too`() async throws {
        try await OwnService.with { service, folder in
            let child = try service.listen(["--output", folder.appending(path: "lines").path, "--reconnect", "backoff"])
            /// Sends both, and waits for what they cause.
            func expectAnswers(_ state: String) async {
                child.signal(SIGHUP)
                #expect(await child.event(with: "is opened again") != nil, "\(state)")
                child.signal(SIGUSR1)
                #expect(await child.event(with: #""state":"\#(state)""#) != nil, "\(state)")
            }
            // The service reads nothing, so the channel can neither connect nor recover nor close.
            let isStuck = DispatchSemaphore(value: 0)
            #expect(await child.event(with: "subscribed") != nil)
            await expectAnswers("subscribed")
            for _ in 0..<1_000 { child.signal(SIGHUP) }
            await expectAnswers("subscribed")
            #if os(Linux)
            let descriptors = "/proc/\(child.processIdentifier)/fd"
            let before = try FileManager.default.contentsOfDirectory(atPath: descriptors).count
            for _ in 0..<1_000 { child.signal(SIGHUP) }
            await expectAnswers("subscribed")
            #expect(try FileManager.default.contentsOfDirectory(atPath: descriptors).count == before)
            #endif
            service.server.execute { server in
                server.disconnect(.all, .reset)
                isStuck.wait()
            }
            #expect(await child.event(with: "reconnecting") != nil)
            await expectAnswers("recovering")
            isStuck.signal()
            #expect(await child.event(with: "recovered") != nil)
            service.server.execute { _ in isStuck.wait() }
            child.signal(SIGTERM)
            await expectAnswers("closing")
            isStuck.signal()
            #expect(await child.end().status == 0)
        }
    }

    @Test func `while it connects there are statistics too, as an event or as a sentence`() async throws {
        try await Slots.taken {
            let held = try HeldPort(listens: true)
            for hasEvents in [true, false] {
                let child = try Child.tool(
                    ["listen", "--uri", "ws://127.0.0.1:\(held.port)/", "--topic", "v2.a", "--log-level", "debug"]
                        + (hasEvents ? ["--events"] : []))
                #expect(await child.event(with: "opening") != nil)
                child.signal(SIGHUP)
                #expect(await child.event(with: "there is nothing to do") != nil)
                child.signal(SIGUSR1)
                let line = await child.event(with: "statistics")
                #expect(
                    line?.contains(
                        hasEvents ? #""state":"connecting","receivedCount":0"# : "statistics: state connecting") == true
                )
                #expect(line?.contains("silence") == false)
                child.signal(SIGTERM)
                #expect(await child.end().status == 0)
            }
        }
    }

    @Test func `the other commands are ended by both, as before`() async throws {
        for signal in [SIGHUP, SIGUSR1] {
            try await Slots.taken {
                let simulator = try await Simulator(["--rate", "0"])
                let folder = URL(filePath: simulator.announcement.caFile).deletingLastPathComponent().path
                #expect(FileManager.default.fileExists(atPath: folder))
                simulator.child.signal(signal)
                #expect(await simulator.child.end().status == 128 + signal)
                #expect(!FileManager.default.fileExists(atPath: folder))
            }
        }
    }

    /// Runs the tool in a session of its own; the first line of standard error is its process.
    private func withoutTerminal(_ arguments: [String]) throws -> Child {
        let script = #"setsid "$0" "$@" & echo $! >&2; wait $!"#
        return try Child(URL(filePath: "/bin/sh"), ["-c", script, Tool.executable.path] + arguments)
    }

    @Test func `while it reads its files neither ends it, unless there is a terminal`() async throws {
        try await OwnService.with { service, folder in
            let fifo = folder.appending(path: "topics").path
            // The path is a C string, valid during the call.
            try #require(unsafe mkfifo(fifo, 0o600) == 0)
            let child = try withoutTerminal(["listen", "--uri", service.uri, "--events", "--topics-file", fifo])
            let process = try #require(Int32(await child.errors.nextLine() ?? ""))
            // Waits until the program has opened the other end.
            let topics = try #require(FileHandle(forWritingAtPath: fifo))
            for signal in [SIGHUP, SIGUSR1] { kill(process, signal) }
            try topics.write(contentsOf: Data("v2.a\n".utf8))
            try topics.close()
            #expect(await child.event(with: "subscribed") != nil)
            kill(process, SIGTERM)
            #expect(await child.end().status == 0)
        }
    }

    #if os(Linux)
    /// A set of signals in a file of /proc that describes a process or a thread.
    private func signals(_ name: String, _ file: String) throws -> UInt64 {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("\(name):") })
        return try #require(UInt64(line.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces), radix: 16))
    }

    @Test func `Swift's backtracer can stop every thread, which it does with SIGUSR1`() async throws {
        try await OwnService.with { service, folder in
            let child = try service.listen(["--output", folder.appending(path: "lines").path])
            #expect(await child.event(with: "subscribed") != nil)
            let threads = "/proc/\(child.processIdentifier)/task"
            let names = try FileManager.default.contentsOfDirectory(atPath: threads)
            // Those of the loop, the output, standard error and the signals.
            #expect(names.count >= 4)
            for name in names {
                #expect(try signals("SigBlk", "\(threads)/\(name)/status") & 1 << (SIGUSR1 - 1) == 0)
            }
            child.signal(SIGTERM)
            #expect(await child.end().status == 0)
        }
    }

    @Test func `signals wait from the first moment at which the program can make them wait`() async throws {
        try await OwnService.with { service, _ in
            let child = try withoutTerminal(["listen", "--uri", service.uri, "--events", "--topic", "v2.a"])
            let process = try #require(Int32(await child.errors.nextLine() ?? ""))
            let both: UInt64 = 1 << (SIGHUP - 1) | 1 << (SIGUSR1 - 1)
            while try signals("SigCgt", "/proc/\(process)/status") & both != both { await Task.yield() }
            for signal in [SIGHUP, SIGUSR1] { kill(process, signal) }
            #expect(await child.event(with: "there is nothing to do") != nil)
            #expect(await child.event(with: "statistics") != nil)
            kill(process, SIGTERM)
            #expect(await child.end().status == 0)
        }
    }

    /// A terminal: the side of the program, and that of the window.
    private func terminal() throws -> (program: FileHandle, window: FileHandle) {
        // The paths are C strings, and the variables are valid during each call. The requests are TIOCSPTLCK, which
        // unlocks the other side, and TIOCGPTN, which returns its number.
        let window = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (number, lock): (Int32, Int32) = (-1, 0)
        try #require(unsafe ioctl(window, 0x4004_5431, &lock) == 0 && ioctl(window, 0x8004_5430, &number) == 0)
        let program = unsafe open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(program >= 0)
        return (FileHandle(fileDescriptor: program, closeOnDealloc: true), .init(fileDescriptor: window))
    }

    @Test(arguments: [false, true])
    func `a closed terminal ends it like SIGTERM, unless nohup started it`(outlives: Bool) async throws {
        try await OwnService.with { service, _ in
            let (program, window) = try terminal()
            let child = try Child(
                URL(filePath: "/usr/bin/setsid"),
                ["-w", "-c"] + (outlives ? ["nohup"] : [])
                    + [Tool.executable.path, "listen", "--uri", service.uri, "--topic", "v2.a", "--events"]
                    + ["--count", "1"], standardInput: program)
            try program.close()
            #expect(await child.event(with: "subscribed") != nil)
            try window.close()
            if outlives {
                #expect(await child.event(with: "there is nothing to do") != nil)
                service.publish(0..<1)
            }
            let end = await child.end()
            #expect(end.status == 0, "\(end.errors)")
            #expect(end.output.isEmpty != outlives)
            #expect(end.errors.contains(#""event":"closed""#))
        }
    }
    #endif
}
