import Foundation
import Testing

/// `doctor` as a program: what it prints, what it leaves alone, and how it ends.
@Suite(.timeLimit(.minutes(patience(3)))) struct DoctorTests {
    @Test func `a channel without a fault`() async throws {
        try await Simulator.with { simulator in
            let arguments = ["--uri", simulator.announcement.uri, "--ca-file", simulator.announcement.caFile]
            let diagnosis = try await Diagnosis.run(arguments + ["--topic", "v2.a"])
            #expect(diagnosis.status == 0)
            #expect(diagnosis.warnings.map(\.name) == ["takeover"])
            #expect(diagnosis.checks.first?.name == "takeover")
            #expect(try diagnosis.named("takeover").advice.contains("--no-connect"))
            #expect(try diagnosis.named("tls-trust").detail.contains("1 root (\(simulator.announcement.caFile))"))
            #expect(try diagnosis.named("tls").detail.contains("TLSv1.3"))
            #expect(try diagnosis.named("tls-certificate").detail.contains("“localhost” by “GenesysLoop Simulator”"))
            #expect(try diagnosis.named("subscription").detail == "The service confirmed 1 topic.")
            #expect(!"\(diagnosis)".contains("streaming-"))
            // Once more for people, from a file, without a topic.
            let text = await (try Child.tool(["doctor"] + arguments)).end()
            #expect(text.status == 0 && text.errors == "")
            let lines = text.outputText.split(separator: "\n")
            #expect(lines.first?.hasPrefix("warn  takeover ") == true)
            #expect(lines.dropFirst().allSatisfy { $0.wholeMatch(of: /ok    [a-z-]+ +\d+\.\d{3} s  .*\./) != nil })
            #expect(lines.last?.contains("101") == true && !text.outputText.contains("streaming-"))
        }
    }

    @Test(.enabled(if: Peer.python != nil, Peer.missing))
    func `nothing is requested with no-connect`() async throws {
        try await Slots.taken {
            let peer = try await Peer("hostile_server.py", ["--mode", "good"])
            let diagnosis = try await Diagnosis.run([
                "--uri", peer.announcement.uri, "--ca-file", peer.announcement.caFile, "--topic", "v2.a",
                "--no-connect",
            ])
            #expect(diagnosis.status == 0 && diagnosis.warnings.isEmpty)
            #expect(diagnosis.checks.last?.name == "tls-certificate")
            try peer.child.closeInput()
            let report = try await peer.report()
            #expect(report.connections?.map(\.stage) == ["tls"] && report.problems == [])
            _ = await peer.child.end()
        }
    }

    @Test func `without TLS no-connect ends before the upgrade, too`() async throws {
        let peer = try ScriptedPeer()
        try await Slots.taken {
            let diagnosis = try await Diagnosis.run(["--uri", peer.uri, "--no-connect"])
            #expect(diagnosis.status == 0)
            #expect(diagnosis.checks.map(\.name) == ["source", "name", "address"])
        }
    }

    @Test(.enabled(if: Peer.python != nil, Peer.missing), arguments: [["tls-stall"], ["no-confirmation"], ["good"]])
    func `a signal ends it at once, with what was found`(mode: [String]) async throws {
        try await Slots.taken {
            let peer = try await Peer("hostile_server.py", ["--mode"] + mode)
            let child = try Child.tool(["doctor"] + peer.listening().dropFirst() + (mode == ["good"] ? ["--json"] : []))
            if mode != ["good"] {
                let last = mode == ["tls-stall"] ? "address" : "upgrade"
                while let line = await child.output?.nextLine(), !line.contains(" \(last) ") {}
            }
            let start = ContinuousClock.now
            child.signal(SIGTERM)
            let end = await child.end()
            // Before it handles signals, one ends it.
            #expect(end.status == 0 || (mode == ["good"] && end.status == 143), "\(end)")
            #expect(end.instant - start < .seconds(4))
            #expect(end.errors == "")
            if mode == ["good"], end.status == 0 { _ = try Diagnosis(end) }
            try peer.child.closeInput()
            _ = await peer.child.end()
        }
    }

    #if os(Linux)
    @Test func `a reader that has left ends it quietly, and a full disk with its status`() async throws {
        let silent = try SilentPort()
        try await Slots.taken {
            let pipe = Pipe()
            try pipe.fileHandleForReading.close()
            let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
            for (output, status) in [(pipe.fileHandleForWriting, 0), (full, 74)] as [(FileHandle, Int32)] {
                let arguments = ["doctor", "--uri", "ws://127.0.0.1:\(silent.port)/"]
                let child = try Child.tool(arguments, standardOutput: output)
                let end = await child.end()
                #expect(end.status == status && end.errors.isEmpty == (status == 0), "\(end)")
            }
        }
        withExtendedLifetime(silent) {}
    }
    #endif

    @Test(
        arguments: [
            (["--uri", "wss://h/", "--ca-file", "/nonexistent/ca.pem"], "tls-trust", "/nonexistent/ca.pem"),
            (["--uri", "wss://h/", "--ca-file", "/dev/null"], "tls-trust", "is empty"),
            (["--uri", "wss://h/", "--pin", "sha256/short"], "tls-trust", "--pin"),
            (["--uri", "wss://h/", "--proxy", "gopher://u:hidden@h"], "proxy", "--proxy"),
            (["--uri", "http://h/channels/hidden"], "source", "neither ws nor wss"),
            (["--uri-file", "/nonexistent/uri"], "source", "/nonexistent/uri"),
            (["--uri", "wss://h/", "--topic", "two words"], "options", "white space"),
        ])
    func `an option that cannot be used is a failure of wrong usage`(
        arguments: [String], name: String, detail: String
    ) async throws {
        try await Slots.taken {
            let diagnosis = try await Diagnosis.run(arguments + ["--no-proxy"].filter { _ in name != "proxy" })
            #expect(diagnosis.status == 64)
            #expect(diagnosis.failures.map(\.name) == [name])
            #expect(diagnosis.failures[0].detail.contains(detail), "\(diagnosis.failures[0])")
            #expect(diagnosis.failures[0].advice.contains("Correct that option"))
            #expect(!"\(diagnosis)".contains("hidden"))
        }
    }

    @Test func `a proxy of the environment that cannot be used is a failure of wrong usage`() async throws {
        try await Slots.taken {
            let diagnosis = try await Diagnosis.run(
                ["--uri", "wss://h/"], variables: ["HTTPS_PROXY": "gopher://u:hidden@h"])
            #expect(diagnosis.status == 64)
            #expect(diagnosis.failures.map(\.name) == ["proxy"])
            #expect(diagnosis.failures[0].detail.contains("HTTPS_PROXY") && !"\(diagnosis)".contains("hidden"))
        }
    }

    @Test(arguments: [[], ["--uri", "ws://h/", "--uri-file", "f"], ["--uri", "ws://h/", "--nonsense"]])
    func `a wrong command line is told as the other commands do`(arguments: [String]) async throws {
        let end = try await Tool.run(["doctor"] + arguments)
        #expect(end.status == 64 && end.output == [])
        #expect(end.errors.contains("doctor --help"), "\(end.errors)")
    }
}
