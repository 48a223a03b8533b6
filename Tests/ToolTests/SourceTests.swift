import Foundation
import Testing

/// The ways in which the tool gets the URI of a channel.
@Suite(.timeLimit(.minutes(patience(3)))) struct SourceTests {
    private static let variable = "GENESYS_LOOP_URI"
    private static let secret = "streaming-2-secret"
    private static let hasShell = FileManager.default.isExecutableFile(atPath: "/bin/bash")

    /// Lends a file to a test.
    private func with(_ contents: String, mode: Int = 0o600, _ body: (URL) async throws -> Void) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "uri-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(contents.utf8).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
        try await body(file)
    }

    /// Runs `listen` for one notification, with the source of a URI in place of `--uri`.
    private func listen(
        _ simulator: Simulator, _ source: [String], _ variables: [String: String] = [:]
    ) async throws -> Child.End {
        let arguments = ["listen", "--ca-file", simulator.announcement.caFile, "--topic", "v2.a", "--count", "1"]
        return await (try Child.tool(arguments + source, variables: variables)).end()
    }

    @Test func `the URI comes from a file, or from the environment, and an argument wins`() async throws {
        try await Simulator.with { simulator in
            let uri = simulator.announcement.uri
            try await with("\u{FEFF}\r\n  \(uri) \r\n\r\n") { file in
                let ways: [([String], [String: String])] = [
                    (["--uri-file", file.path], [:]), ([], [Self.variable: uri]),
                    ([], [Self.variable: "\n \(uri)\r\n"]), (["--uri", uri], [Self.variable: "nonsense"]),
                    (["--uri-file", file.path], [Self.variable: "wss://127.0.0.1:1/\(Self.secret)"]),
                ]
                for (source, variables) in ways {
                    let end = try await listen(simulator, source, variables)
                    #expect(end.status == 0, "\(source) \(variables): \(end.errors)")
                    #expect(end.output.count { $0 == 0x0A } == 1)
                    #expect(try Tool.sentences(end.errors) == ["subscribed to 1 topic", "closed"])
                }
            }
        }
    }

    @Test(
        .enabled(if: hasShell, "SKIPPED: it needs bash"),
        arguments: [
            #"--uri-file <(echo "$1")"#, #"--uri-file - <<< "$1""#, #"--uri-file /dev/stdin < <(printf '%s\r\n' "$1")"#,
            #"--uri-file - < <(printf ' \n\n%s' "$1")"#,
        ]) func `the URI comes from a pipe or from standard input`(source: String) async throws
    {
        try await Simulator.with { simulator in
            let script = "exec \"$0\" listen --ca-file \"$2\" --topic v2.a --count 1 \(source)"
            let announced = simulator.announcement
            let child = try Child(
                URL(filePath: "/bin/bash"), ["-c", script, Tool.executable.path, announced.uri, announced.caFile])
            let end = await child.end()
            #expect(end.status == 0, "\(end.errors)")
        }
    }

    @Test func `one line of standard input is enough, although it stays open`() async throws {
        try await Simulator.with { simulator in
            let announced = simulator.announcement
            let child = try Child.tool([
                "listen", "--uri-file", "-", "--ca-file", announced.caFile, "--topic", "v2.a", "--count", "1",
            ])
            try child.send(line: announced.uri)
            let end = await child.end()
            #expect(end.status == 0, "\(end.errors)")
        }
    }

    @Test func `no topic is needed where topics are managed over REST`() async throws {
        try await Simulator.with { simulator in
            let announced = simulator.announcement
            let child = try Child.tool([
                "listen", "--uri", announced.uri, "--ca-file", announced.caFile, "--no-subscribe", "--events",
            ])
            let line = try #require(await child.errors.nextLine())
            #expect(try Tool.events(line).first?["topics"] as? [String] == [])
            child.signal(SIGTERM)
            #expect(await child.end().status == 0)
        }
    }

    @Test func `an error in topics from standard input names the line`() async throws {
        try await Slots.taken {
            let child = try Child.tool(
                ["listen", "--uri", "wss://h/\(Self.secret)", "--topics-file", "-"], mayLeak: true)
            for line in ["# all", "v2.a # one", "v2 b"] { try child.send(line: line) }
            try child.closeInput()
            let end = await child.end()
            #expect(end.status == 64)
            #expect(end.errors.contains("Line 3 of the topics file: The topic 'v2 b' holds white"), "\(end.errors)")
        }
    }

    @Test(arguments: [
        ("", "is empty"), ("\r\n\n", "is empty"), ("wss://localhost/SECRET\nwss://localhost/SECRET", "than one line"),
        ("https://localhost/SECRET", "neither ws nor wss"), ("SECRET", "does not begin with ws:// or wss://"),
        ("wss://localhost/SECRET SECRET", "holds a space"), ("wss://user:SECRET@localhost", "user information"),
        ("wss://localhost:SECRET/", "port of the URI is not a number"), ("wss://local%SECRET/", "no host name has"),
        ("\u{0}SECRET", "control character"),
    ]) func `a file that holds no URI ends with 64, and no sentence shows its contents`(
        contents: String, sentence: String
    ) async throws {
        try await with(contents.replacing("SECRET", with: Self.secret)) { file in
            let end = try await Tool.run(["listen", "--topic", "v2.a", "--uri-file", file.path], mayLeak: true)
            #expect(end.status == 64)
            #expect(end.errors.contains("The URI file “\(file.path)”"), "\(end.errors)")
            #expect(end.errors.contains(sentence), "\(end.errors)")
            #expect(!end.errors.contains(Self.secret), "\(end.errors)")
        }
    }

    @Test(arguments: [("ftp://h/streaming-2-secret", "neither ws nor wss"), ("a\nstreaming-2-secret", "than one line")])
    func `a variable that holds no URI ends with 64, and is not shown`(value: String, sentence: String) async throws {
        let end = try await Slots.taken {
            await (try Child.tool(["listen", "--topic", "v2.a"], mayLeak: true, variables: [Self.variable: value]))
                .end()
        }
        #expect(end.status == 64)
        #expect(end.errors.contains("The variable \(Self.variable)") && end.errors.contains(sentence), "\(end.errors)")
        #expect(!end.errors.contains(Self.secret))
    }

    @Test func `a file that other users can read is used with a warning`() async throws {
        for (mode, isExposed) in [(0o644, true), (0o660, true), (0o400, false)] {
            try await with("wss://127.0.0.1:1/\(Self.secret)", mode: mode) { file in
                let end = try await Tool.run([
                    "listen", "--topic", "v2.a", "--uri-file", file.path, "--reconnect", "never", "--events",
                ])
                let warnings = try Tool.events(end.errors).filter { $0["level"] as? String == "warning" }
                #expect(end.status == 69)
                #expect(warnings.count == (isExposed ? 1 : 0), "\(end.errors)")
                #expect(!isExposed || end.errors.contains("chmod 600"))
                #expect(!end.errors.contains(Self.secret))
            }
        }
    }

    #if os(Linux)
    @Test(.enabled(if: ProcessInfo.processInfo.environment["GENESYS_LOOP_SANITIZER"] == nil))
    func `neither the arguments nor the environment of the process show a URI or a password`() async throws {
        try await Simulator.with { simulator in
            let name = simulator.announcement.uri.split(separator: "/").last.map(String.init) ?? ""
            let child = try Child.tool(
                ["listen", "--ca-file", simulator.announcement.caFile, "--topic", "v2.a"],
                variables: [
                    Self.variable: simulator.announcement.uri, "GENESYS_LOOP_PROXY_CREDENTIALS": "someone:hidden",
                ])
            let line = try #require(await child.errors.nextLine())
            #expect(line.contains("subscribed"))
            for file in ["cmdline", "environ"] {
                let text = try String(
                    decoding: Data(contentsOf: URL(filePath: "/proc/\(child.identifier)/\(file)")), as: UTF8.self)
                #expect(!text.contains(name) && !text.contains("hidden"), "\(file): \(text)")
            }
            child.signal(SIGTERM)
            #expect(await child.end().status == 0)
        }
    }
    #endif
}
