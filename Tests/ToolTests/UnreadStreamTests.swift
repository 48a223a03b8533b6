import Foundation
import Testing

/// A parent that reads only one of a program's streams, or none.
@Suite(.timeLimit(.minutes(patience(2)))) struct UnreadStreamTests {
    /// How long an end may take. A sanitizer makes the programs many times slower.
    private static let limit: Duration =
        ProcessInfo.processInfo.environment["GENESYS_LOOP_SANITIZER"] == nil ? .seconds(7) : .seconds(60)

    /// Many discarded messages, each with its event, and one notification with every 300 of them.
    private static let flood: String = {
        let steps = Array(repeating: #"{"at":0,"do":"send","text":"x"}"#, count: 300)
        return #"{"repeat":0.01,"steps":["# + steps.joined(separator: ",")
            + #",{"at":0,"do":"publish","topic":"v2.a"}]}"#
    }()

    /// Lends a listener whose standard error is full, in the process and in the pipe.
    private func flooded(_ body: (Child) async throws -> Void) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "flood-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try Self.flood.write(to: file, atomically: true, encoding: .utf8)
        try await Simulator.with("--rate", "0", "--script", file.path) { simulator in
            let announced = simulator.announcement
            let listener = try Child.tool(
                ["listen", "--uri", announced.uri, "--ca-file", announced.caFile, "--topic", "v2.a", "--events"],
                readsErrors: false)
            // This many notifications follow 18,000 events, of which most fit.
            for _ in 0..<60 { #expect(await listener.output?.nextLine()?.contains("v2.a") == true) }
            try await body(listener)
        }
    }

    @Test func `a standard error that is not read holds up nothing, and tells later what it lacks`() async throws {
        try await flooded { listener in
            listener.errors.start()
            while let line = await listener.errors.nextLine(), !line.contains("linesDropped") {}
            listener.signal(SIGTERM)
            let end = await listener.end()
            #expect(end.status == 0)
            let events = try Tool.events(end.errors)
            let dropped = events.filter { $0["event"] as? String == "linesDropped" }
            #expect(dropped.reduce(0) { $0 + ($1["count"] as? Int ?? 0) } >= 2_000)
            #expect(events.contains { $0["event"] as? String == "subscribed" })
            #expect(events.last?["event"] as? String == "closed")
        }
    }

    @Test func `a signal ends it although nobody reads standard error`() async throws {
        try await flooded { listener in
            let start = ContinuousClock.now
            listener.signal(SIGTERM)
            let end = await listener.end()
            #expect(end.status == 0)
            #expect(end.instant - start < Self.limit)
        }
    }

    @Test func `a channel that fails says so in a stream that is read late`() async throws {
        try await Slots.taken {
            let held = try HeldPort()
            let child = try Child.tool(
                ["listen", "--uri", "ws://127.0.0.1:\(held.port)/", "--topic", "v2.a", "--events"]
                    + ["--first-connection-limit", "0.2s"], readsErrors: false)
            let end = await child.end()
            withExtendedLifetime(held) {}
            #expect(end.status == 69)
            #expect(try Tool.events(end.errors).last?["event"] as? String == "failed")
        }
    }

    /// A full pipe that is not read.
    private func fullPipe() throws -> Pipe {
        let pipe = Pipe()
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
        let bytes = [UInt8](repeating: 0x0A, count: 65_536)
        // The array is valid during each call.
        while unsafe bytes.withUnsafeBytes({ unsafe write(descriptor, $0.baseAddress, $0.count) }) > 0 {}
        _ = fcntl(descriptor, F_SETFL, flags)
        return pipe
    }

    @Test(arguments: [["--count", "2000"], ["--duration", "0.5"]])
    func `a listener that is done ends although nobody reads its output, and says what is lost`(
        end: [String]
    ) async throws {
        try await OwnService.with { service, folder in
            let fifo = folder.appending(path: "fifo").path
            // The path is a C string, valid during the call.
            try #require(unsafe mkfifo(fifo, 0o600) == 0)
            for output in [nil, fifo] {
                let pipe = try fullPipe()
                let child = try Child.tool(
                    ["listen", "--uri", service.uri, "--topic", "v2.a", "--events"] + end
                        + (output.map { ["--output", $0] } ?? []), standardOutput: pipe.fileHandleForWriting)
                #expect(await child.event(with: "subscribed") != nil)
                let start = ContinuousClock.now
                service.publish(0..<2_000)
                let ending = await child.end()
                #expect(ending.status == 0)
                #expect(ending.instant - start < Self.limit)
                #expect(ending.errors.contains("bytes were not written"), "\(ending.errors)")
                withExtendedLifetime(pipe) {}
            }
        }
    }

    @Test(arguments: [("simulate --port", false), ("--listen", true)])
    func `a signal ends a server although nobody reads where it listens`(options: String, isEcho: Bool) async throws {
        try await Slots.taken {
            let pipe = try fullPipe()
            let port = HeldPort.unused()
            let arguments = options.split(separator: " ").map(String.init) + ["\(port)"]
            let child = try Child(
                isEcho ? Tool.echo : Tool.executable, arguments, standardOutput: pipe.fileHandleForWriting)
            // It still serves.
            while !HeldPort.isListening(port) { await Task.yield() }
            let start = ContinuousClock.now
            child.signal(SIGTERM)
            let end = await child.end()
            #expect(end.status == 0)
            #expect(end.instant - start < Self.limit)
            withExtendedLifetime(pipe) {}
        }
    }
}
