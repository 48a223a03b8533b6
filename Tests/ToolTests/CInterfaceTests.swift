import Foundation
import Testing

/// `genesys_loop.h`, used by programs in C.
@Suite(.timeLimit(.minutes(patience(3)))) struct CInterfaceTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let header = root.appending(path: "Sources/GenesysLoopC/include")
    private static let library = Tool.executable.deletingLastPathComponent()

    /// Whether programs can be compiled and run here; says so where they cannot.
    private static let isPossible: Bool = {
        // A program that is not built with a sanitizer cannot load a library that is.
        guard ProcessInfo.processInfo.environment["GENESYS_LOOP_SANITIZER"] == nil else {
            print("SKIPPED: the tests of the C interface did not run: not with a sanitizer")
            return false
        }
        return has("cc")
    }()

    /// Whether a program is there; says so where it is not.
    private static func has(_ program: String) -> Bool {
        if find(program) != nil { return true }
        print("SKIPPED: some tests of the C interface did not run: there is no \(program)")
        return false
    }

    private static func find(_ program: String) -> URL? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.map { URL(filePath: String($0)).appending(path: program) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    private static func run(_ program: String, _ arguments: [String]) async throws -> Child.End {
        await (try Child(try #require(find(program)), arguments)).end()
    }

    /// Compiles a program against the library, and runs it.
    private static func built(
        _ source: String, _ flags: [String] = [], body: (URL) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "c-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let program = folder.appending(path: "program")
        let end = try await run(
            "cc",
            ["-std=gnu11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", root.appending(path: source).path]
                + ["-I\(header.path)", "-L\(library.path)", "-lGenesysLoopC", "-Wl,-rpath,\(library.path)"]
                + ["-lpthread", "-luv", "-o", program.path] + flags)
        try #require(end.status == 0, "\(end.errors)")
        try await body(program)
    }

    @Test(arguments: [("cc", "c", "c99"), ("cc", "c", "c17"), ("c++", "c++", "c++17"), ("clang", "c", "c99")])
    func `the header compiles without a warning`(compiler: String, language: String, standard: String) async throws {
        guard CInterfaceTests.isPossible, CInterfaceTests.has(compiler) else { return }
        let end = try await CInterfaceTests.run(
            compiler,
            ["-x", language, "-std=\(standard)", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
                + [CInterfaceTests.header.appending(path: "genesys_loop.h").path])
        // Clang finds it odd that the main file is a header, and says so only where it is told that it is C.
        #expect(end.status == 0, "\(end.errors)")
    }

    @Test func `sizes, offsets and numbers are what programs were compiled with`() async throws {
        guard CInterfaceTests.isPossible else { return }
        let expected = try String(contentsOf: CInterfaceTests.root.appending(path: "Tests/C/abi.txt"), encoding: .utf8)
        try await CInterfaceTests.built("Tests/C/abi.c") { program in
            let end = await (try Child(program, [])).end()
            #expect(end.outputText == expected, "a change here breaks programs; append members instead")
        }
    }

    @Test func `the library exports the functions of the header and nothing else of C`() async throws {
        guard CInterfaceTests.isPossible, CInterfaceTests.has("nm") else { return }
        let file = CInterfaceTests.library.appending(path: "libGenesysLoopC.so")
        let end = try await CInterfaceTests.run("nm", ["-D", "--defined-only", file.path])
        try #require(end.status == 0, "\(end.errors)")
        let symbols = end.outputText.split(separator: "\n").compactMap {
            $0.split(separator: " ").last.map(String.init)
        }
        // What Swift and the linker make themselves.
        let own = symbols.filter { !$0.hasPrefix("$s") && !$0.hasPrefix("_") && !$0.hasPrefix("swift_") }
        let text = try String(
            contentsOf: CInterfaceTests.header.appending(path: "genesys_loop.h"), encoding: .utf8)
        let declared = text.matches(of: /(genesys_\w+)\(/).map { String($0.1) }
        #expect(Set(own) == Set(declared))
        // What was there once stays there; what is new is added to the list.
        let list = CInterfaceTests.root.appending(path: "Tests/C/symbols.txt")
        let committed = try String(contentsOf: list, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(own.sorted() == committed)
    }

    @Test func `what the header promises about arguments, sizes and threads holds`() async throws {
        guard CInterfaceTests.isPossible else { return }
        try await CInterfaceTests.built("Tests/C/contract.c") { program in
            let end = await (try Child(program, [])).end()
            #expect(end.status == 0)
            #expect(end.outputText == "all is as promised\n")
        }
    }

    @Test func `a program in C receives on a loop of its own, and leaves nothing on it`() async throws {
        guard CInterfaceTests.isPossible else { return }
        try await CInterfaceTests.built("Examples/C/listen.c") { program in
            try await Simulator.with("--rate", "1000") { simulator in
                let topic = "v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.presence"
                let (uri, ca) = (simulator.announcement.uri, simulator.announcement.caFile)
                let end = await (try Child(program, [uri, ca, "250", topic])).end()
                #expect(end.status == 0, "\(end.errors)")
                let lines = end.outputText.split(separator: "\n")
                #expect(lines.count == 250)
                #expect(lines.allSatisfy { $0.hasPrefix("{\"topicName\":\"\(topic)\"") })

                let wrong = await (try Child(program, [uri, "no-such-file", "1", topic])).end()
                #expect(wrong.status == 64)
                #expect(wrong.errors.contains("no-such-file"))
                let untrusted = await (try Child(program, [uri, "/etc/ssl/certs/ca-certificates.crt", "1", topic]))
                    .end()
                #expect(untrusted.status == 1 || untrusted.status == 64)
                #expect(!untrusted.errors.contains(uri))
            }
        }
    }
}
