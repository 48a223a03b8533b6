import Foundation
import Testing

/// `genesys_loop.h`, used by C programs.
@Suite(.timeLimit(.minutes(patience(3)))) struct CInterfaceTests {
    private static let topic = "v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.presence"

    @Test(arguments: [("cc", "c", "c99"), ("cc", "c", "c17"), ("c++", "c++", "c++17"), ("clang", "c", "c99")])
    func `the header compiles without a warning`(compiler: String, language: String, standard: String) async throws {
        guard CProgram.isPossible, CProgram.has(compiler) else { return }
        let end = try await CProgram.run(
            compiler,
            ["-x", language, "-std=\(standard)", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
                + [CProgram.header.appending(path: "genesys_loop.h").path])
        // Clang warns that the main file is a header, but only if it is told that it is C.
        #expect(end.status == 0, "\(end.errors)")
    }

    @Test func `sizes, offsets and numbers are what programs were compiled with`() async throws {
        guard CProgram.isPossible else { return }
        let expected = try String(contentsOf: CProgram.root.appending(path: "Tests/C/abi.txt"), encoding: .utf8)
        try await CProgram.built("Tests/C/abi.c") { program in
            let end = await (try Child(program, [])).end()
            #expect(end.outputText == expected, "a change here breaks programs; append members instead")
        }
    }

    @Test func `the library exports the functions of the header and nothing else of C`() async throws {
        guard CProgram.isPossible, CProgram.has("nm") else { return }
        let file = CProgram.library.appending(path: "libGenesysLoopC.so")
        let end = try await CProgram.run("nm", ["-D", "--defined-only", file.path])
        try #require(end.status == 0, "\(end.errors)")
        let symbols = end.outputText.split(separator: "\n").compactMap {
            $0.split(separator: " ").last.map(String.init)
        }
        // Symbols made by Swift and the linker.
        let own = symbols.filter { !$0.hasPrefix("$s") && !$0.hasPrefix("_") && !$0.hasPrefix("swift_") }
        let text = try String(
            contentsOf: CProgram.header.appending(path: "genesys_loop.h"), encoding: .utf8)
        let declared = text.matches(of: /(genesys_\w+)\(/).map { String($0.1) }
        #expect(Set(own) == Set(declared))
        // Symbols are never removed; new ones are added to the list.
        let list = CProgram.root.appending(path: "Tests/C/symbols.txt")
        let committed = try String(contentsOf: list, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(own.sorted() == committed)
    }

    @Test func `what the header promises about arguments, sizes and threads holds`() async throws {
        guard CProgram.isPossible else { return }
        try await CProgram.built("Tests/C/contract.c") { program in
            let end = await (try Child(program, [])).end()
            #expect(end.status == 0)
            #expect(end.outputText == "all is as promised\n")
        }
    }

    @Test func `a call that ends the process names the function of C`() async throws {
        guard CProgram.isPossible else { return }
        try await CProgram.built("Tests/C/misuse.c") { program in
            for (misuse, function) in [
                ("detach", "genesys_loop_detach: only an adopted loop"), ("stop", "genesys_loop_stop: an adopted loop"),
                ("run", "genesys_loop_run: an adopted loop"), ("close_all", "genesys_loop_close_all was called"),
                ("keeps_running", "genesys_loop_set_keeps_running was called"),
                ("open", "genesys_channel_open was called"), ("subscribe", "genesys_channel_subscribe was called"),
            ] {
                let end = await (try Child(program, [misuse], mayLeak: true)).end()
                #expect(end.status != 0 && end.errors.contains(function), "\(misuse): \(end.errors)")
            }
        }
    }

    /// Runs `Tests/C/refusal.c` and returns the line that it prints.
    private func heard(_ program: URL, _ arguments: String...) async throws -> String {
        let end = await (try Child(program, arguments)).end()
        #expect(end.status == 0 || end.status == 1, "\(end.errors)")
        return String(end.outputText.prefix { $0 != "\n" })
    }

    @Test func `a failure holds the correlation id of a refusal, and the host of a redirect`() async throws {
        guard CProgram.isPossible else { return }
        try await CProgram.built("Tests/C/refusal.c") { program in
            for (line, header, expected) in [
                ("403 Forbidden", "ININ-Correlation-Id: 5b3c1a52-7b3e", "httpForbidden 403 5b3c1a52-7b3e NULL"),
                (
                    "301 Moved Permanently", "Location: https://login.example.com/?to=secret",
                    "invalidStatusCode 301 NULL login.example.com"
                ),
            ] {
                let head = ["HTTP/1.1 \(line)", header, "Content-Length: 0", "", ""].joined(separator: "\r\n")
                let peer = try ScriptedPeer(head: { _ in head })
                #expect(try await heard(program, peer.uri, "-", "-") == expected)
            }
        }
    }

    @Test func `alpn says what is offered: http/1.1 where it is NULL, nothing where it is empty`() async throws {
        guard CProgram.isPossible else { return }
        try await CProgram.built("Tests/C/refusal.c") { program in
            try await CProgram.withFolder { folder in
                let child = try Child(
                    Tool.echo, ["--listen", "0", "--certificates", folder.path, "--alpn", "h2"], mayLeak: true)
                let line = try #require(await child.output?.nextLine(), "the server did not start")
                let server = try JSONDecoder().decode(Simulator.Announcement.self, from: Data(line.utf8))
                for (alpn, expected) in [
                    ("-", "tlsHandshake 0 NULL NULL"), ("", "discarded"), ("h2", "discarded"),
                    (String(repeating: "x", count: 256), "4"),
                ] {
                    #expect(try await heard(program, server.uri, server.caFile, alpn) == expected, "\(alpn)")
                }
                child.signal(SIGTERM)
                #expect(await child.end().status == 0)
            }
        }
    }

    @Test func `the library can be unloaded and loaded again, and unloaded while a name is looked up`() async throws {
        guard CProgram.isPossible else { return }
        try await CProgram.compiled("Tests/C/unload.c", ["-rdynamic", "-ldl"]) { program in
            let library = CProgram.library.appending(path: "libGenesysLoopC.so").path
            let end = await (try Child(program, [library])).end()
            #expect(end.status == 0, "\(end.errors)")
            #expect(end.outputText == "it stayed\n")
        }
    }

    /// This test finds leaks of handles: C programs are not built with the sanitizers.
    @Test func `valgrind finds no memory that C has lost, and none that was used after its time`() async throws {
        guard CProgram.isPossible, let valgrind = CProgram.find("valgrind") else {
            print("SKIPPED: the memory of the C interface was not checked: there is no valgrind")
            return
        }
        let check = ["-q", "--leak-check=full", "--errors-for-leak-kinds=definite", "--error-exitcode=99"]
        try await CProgram.built("Tests/C/contract.c") { program in
            let end = await (try Child(valgrind, check + [program.path])).end()
            #expect(end.status == 0, "\(end.errors)")
        }
        try await CProgram.built("Examples/C/listen.c") { program in
            try await Simulator.with("--rate", "1000") { simulator in
                let (uri, ca) = (simulator.announcement.uri, simulator.announcement.caFile)
                let arguments = [program.path, uri, ca, "50", CInterfaceTests.topic]
                let end = await (try Child(valgrind, check + arguments)).end()
                #expect(end.status == 0, "\(end.errors)")
                #expect(end.outputText.split(separator: "\n").count == 50)
            }
        }
    }

    @Test func `a program in C receives on a loop of its own, and leaves nothing on it`() async throws {
        guard CProgram.isPossible else { return }
        try await CProgram.built("Examples/C/listen.c") { program in
            try await Simulator.with("--rate", "1000") { simulator in
                let topic = CInterfaceTests.topic
                let (uri, ca) = (simulator.announcement.uri, simulator.announcement.caFile)
                let end = await (try Child(program, [uri, ca, "250", topic])).end()
                #expect(end.status == 0, "\(end.errors)")
                let lines = end.outputText.split(separator: "\n")
                #expect(lines.count == 250)
                #expect(lines.allSatisfy { $0.hasPrefix("{\"topicName\":\"\(topic)\"") })

                let listening = try Child(program, [uri, ca, "0", topic])
                #expect(await listening.output?.nextLine() != nil)
                listening.signal(SIGTERM)
                #expect(await listening.end().status == 0)

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
