import Foundation
import Testing

/// `listen`, run as a program.
@Suite struct ListenTests {
    @Test func `a port on which nobody listens ends with 69`() async throws {
        let held = try HeldPort()
        let end = try await Tool.run([
            "listen", "--uri", "wss://127.0.0.1:\(held.port)/secret", "--topic", "v2.a", "--reconnect", "never",
        ])
        #expect(end.status == 69)
        #expect(end.output == [])
        #expect(end.errors.contains("connection refused"))
        #expect(!end.errors.contains("/secret"))
    }

    @Test func `a name that does not exist ends with 69, whatever the policy`() async throws {
        let end = try await Tool.run([
            "listen", "--uri", "wss://no-such-host.invalid/secret", "--topic", "v2.a", "--events", "--duration", "30",
        ])
        #expect(end.status == 69)
        let events = try Tool.events(end.errors)
        let last = try #require(events.last)
        #expect(last["event"] as? String == "failed" || last["event"] as? String == "closed")
        #expect(events.contains { $0["reason"] as? String == "dns" })
        #expect(!end.errors.contains("secret"))
    }

    @Test func `no confirmation before the end of the duration is 69`() async throws {
        let held = try HeldPort(listens: true)
        let end = try await Tool.run([
            "listen", "--uri", "ws://127.0.0.1:\(held.port)/", "--topic", "v2.a", "--events", "--duration", "0.3",
        ])
        #expect(end.status == 69)
        let events = try Tool.events(end.errors)
        #expect(events.compactMap { $0["event"] as? String } == ["log", "closed"])
    }

    @Test func `only a host that is not this machine is warned of without TLS`() async throws {
        for (host, isWarned) in [("localhost", false), ("127.0.0.1", false), ("[::1]", false), ("h.invalid", true)] {
            let end = try await Tool.run([
                "listen", "--uri", "ws://\(host):9/", "--topic", "v2.a", "--events", "--reconnect", "never",
                "--duration", "5",
            ])
            #expect(end.status == 69)
            let logs = try Tool.events(end.errors).filter { $0["event"] as? String == "log" }
            #expect(logs.contains { $0["level"] as? String == "warning" } == isWarned, "\(host): \(end.errors)")
        }
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `a signal ends it cleanly`(signal: Int32) async throws {
        try await Simulator.with("--rate", "200") { simulator in
            let tool = try Child.tool(simulator.listening("--events"))
            #expect(await tool.errors.nextLine()?.contains("subscribed") == true)
            #expect(await tool.output?.nextLine()?.hasPrefix("{") == true)
            tool.signal(signal)
            let end = await tool.end()
            #expect(end.status == 0)
            #expect(end.output.last == 0x0A)
            #expect(try Tool.events(end.errors).compactMap { $0["event"] as? String } == ["subscribed", "closed"])
        }
    }

    @Test func `a signal ends it within four seconds although the service does not answer`() async throws {
        try await Simulator.with("--rate", "200") { simulator in
            let tool = try Child.tool(simulator.listening("--events"))
            #expect(await tool.errors.nextLine()?.contains("subscribed") == true)
            simulator.child.signal(SIGSTOP)
            defer { simulator.child.signal(SIGCONT) }
            let start = ContinuousClock.now
            tool.signal(SIGTERM)
            let end = await tool.end()
            #expect(end.status == 0)
            #expect(end.instant - start < .seconds(4))
        }
    }

    @Test(.enabled(if: Peer.python != nil, Peer.missing), arguments: [SIGINT, SIGTERM])
    func `a second signal ends it at once`(signal: Int32) async throws {
        try await Slots.taken {
            // The peer never answers the Close frame, so the first signal alone would wait for the time-out.
            let peer = try await Peer("hostile_server.py", ["--mode", "frozen"])
            let tool = try Child.tool(peer.listening("--log-level", "debug"))
            while let line = await tool.errors.nextLine(), !line.contains("subscribed to") {}
            tool.signal(signal)
            while let line = await tool.errors.nextLine(), !line.contains("interrupted") {}
            tool.signal(signal)
            let end = await tool.end()
            #expect(end.status == 128 + signal)
            #expect(!end.errors.contains("genesys-loop: closed"))
            try peer.child.closeInput()
            _ = await peer.child.end()
        }
    }

    @Test func `a closed pipe ends it quietly`() async throws {
        try await Simulator.with("--rate", "200") { simulator in
            let pipe = Pipe()
            let tool = try Child.tool(simulator.listening(), standardOutput: pipe.fileHandleForWriting)
            try pipe.fileHandleForWriting.close()
            #expect(!pipe.fileHandleForReading.availableData.isEmpty)
            try pipe.fileHandleForReading.close()
            let end = await tool.end()
            #expect(end.status == 0)
            #expect(try Tool.sentences(end.errors) == ["subscribed to 1 topic"])
        }
    }

    #if os(Linux)
    @Test func `a full disk ends it with 74 and a sentence`() async throws {
        try await Simulator.with("--rate", "200") { simulator in
            let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
            let end = await (try Child.tool(simulator.listening("--events"), standardOutput: full)).end()
            #expect(end.status == 74)
            let events = try Tool.events(end.errors)
            #expect(events.contains { ($0["message"] as? String)?.contains("no space left") == true }, "\(end.errors)")
        }
    }
    #endif

    @Test func `closed standard descriptors are not taken for sockets`() async throws {
        try await Simulator.with("--rate", "200") { simulator in
            let shell = try Child(
                URL(filePath: "/bin/sh"),
                ["-c", "exec \"$0\" \"$@\" <&- >&-", Tool.executable.path] + simulator.listening())
            let end = await shell.end()
            #expect(end.status == 74)
            #expect(end.errors.contains("Standard output cannot be written"))
        }
    }

    @Test func `logs are events too, and show no URI`() async throws {
        try await Simulator.with("--rate", "100") { simulator in
            let end = try await simulator.listen("--events", "--log-level", "trace", "--count", "3")
            #expect(end.status == 0)
            #expect(end.output.count { $0 == 0x0A } == 3)
            let logs = try Tool.events(end.errors).filter { $0["event"] as? String == "log" }
            #expect(logs.contains { $0["level"] as? String == "debug" })
            let secret = try #require(simulator.announcement.uri.split(separator: "/").last)
            #expect(!end.errors.contains(secret))
        }
    }
}
