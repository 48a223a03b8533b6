import Foundation
import Testing

/// The scripts of the repository, as far as they build nothing.
@Suite(.timeLimit(.minutes(patience(2)))) struct RepositoryScriptTests {
    private func script(_ name: String, _ arguments: String...) async throws -> Child.End {
        let file = CProgram.root.appending(path: "Scripts/\(name)")
        return await (try Child(file, arguments)).end()
    }

    @Test func `a part of the tests that does not exist ends with 64 and names those that do`() async throws {
        let end = try await script("test", "--part", "nothing")
        #expect(end.status == 64)
        let parts = [
            "check", "debug", "simulation", "allocations", "instructions", "conformance", "autobahn", "asan", "tsan",
            "release", "neighbors", "mutate", "fuzz",
        ]
        #expect(end.errors.contains(parts.joined(separator: " ")))
        let help = try await script("test", "--help")
        let text = try String(contentsOf: CProgram.root.appending(path: "Scripts/test"), encoding: .utf8)
        for part in parts {
            #expect(help.outputText.contains("\n  \(part) "), "the help does not tell what \(part) is")
            #expect(text.contains("\npart_\(part)() {\n"))
        }
    }

    @Test(arguments: [
        ["--part"], ["--all", "--part", "asan"], ["--part", "check", "--filter", "Scanner"],
    ]) func `parts of the tests that contradict the other arguments are refused`(arguments: [String]) async throws {
        let file = CProgram.root.appending(path: "Scripts/test")
        let end = await (try Child(file, arguments)).end()
        #expect(end.status == 64)
        #expect(end.errors.contains("--part") || end.errors.contains("part 'check'"), "\(end.errors)")
    }

    /// Each is run with a set-up script that records its arguments and fails, which ends the script.
    @Test(arguments: [
        ("autobahn", [], "--python"), ("bench", [], "--bench"), ("bench", ["--quick", "--only", "go"], "--bench"),
        ("bench", ["--list"], ""), ("bench", ["instructions", "--check"], "--valgrind"), ("bench", ["codec"], ""),
        ("bench", ["scrapes", "--check"], ""),
        ("check", ["--fast"], "--python"), ("demo", [], ""), ("fuzz", ["1"], ""), ("fuzz", ["--coverage"], "--python"),
        ("install-c", [], ""), ("mutate", [], ""), ("test", [], "--python"), ("test", ["--part", "fuzz"], "--python"),
    ]) func `a script installs what it needs before anything else`(
        script: String, arguments: [String], expected: String
    ) async throws {
        try await CProgram.withFolder { folder in
            let scripts = folder.appending(path: "Scripts")
            try FileManager.default.createDirectory(at: scripts, withIntermediateDirectories: false)
            for name in [script, "common.bash"] {
                try FileManager.default.copyItem(
                    at: CProgram.root.appending(path: "Scripts/\(name)"), to: scripts.appending(path: name))
            }
            let header = "Sources/GenesysLoopC/include"
            try FileManager.default.createDirectory(
                at: folder.appending(path: header), withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                at: CProgram.header.appending(path: "genesys_loop.h"),
                to: folder.appending(path: "\(header)/genesys_loop.h"))
            let setup = scripts.appending(path: "setup")
            try "#!/bin/sh\necho \"$*\" >>'\(folder.path)/asked'\nexit 1\n"
                .write(to: setup, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: setup.path)
            let end = await (try Child(scripts.appending(path: script), arguments)).end()
            #expect(end.status == 1, "\(end.errors)")
            let asked = try String(contentsOf: folder.appending(path: "asked"), encoding: .utf8)
            #expect(asked == expected + "\n")
        }
    }

    /// The script runs with a `swift` that fails with this message.
    @Test(arguments: [
        ("error: 'swift-nio': Failed to clone repository https://github.com/apple/swift-nio.git:", 0),
        ("error: Dependencies could not be resolved because no versions of 'swift-nio' match the requirement.", 1),
    ]) func `a part of the tests is skipped where its packages cannot be fetched, and fails for other reasons`(
        error: String, status: Int32
    ) async throws {
        try await CProgram.withFolder { folder in
            let scripts = folder.appending(path: "Scripts")
            try FileManager.default.createDirectory(at: scripts, withIntermediateDirectories: false)
            for name in ["test", "common.bash"] {
                try FileManager.default.copyItem(
                    at: CProgram.root.appending(path: "Scripts/\(name)"), to: scripts.appending(path: name))
            }
            for (file, text) in [("Scripts/setup", "exit 0"), ("swift", "echo \"\(error)\" >&2; exit 1")] {
                let program = folder.appending(path: file)
                try "#!/bin/sh\n\(text)\n".write(to: program, atomically: true, encoding: .utf8)
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
            }
            let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
            let end = await
                (try Child(
                    scripts.appending(path: "test"), ["--part", "neighbors"],
                    variables: ["PATH": "\(folder.path):\(path)"])).end()
            #expect(end.status == status, "\(end.errors)")
            #expect(end.errors.contains("SKIPPED: ") == (status == 0))
            #expect(end.outputText.contains("test: SKIPPED: neighbors") == (status == 0))
            #expect(!end.outputText.contains("passed"))
        }
    }
}
