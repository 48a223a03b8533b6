import Foundation
import Testing

/// `Scripts/install-c`. The places of the installed files are tested with the library of this build; `--all` also tests
/// the library that the script builds itself.
@Suite(.timeLimit(.minutes(patience(3)))) struct InstallTests {
    private static let topic = "v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.presence"
    private static let script = CProgram.root.appending(path: "Scripts/install-c")
    private static let built = ["--library", CProgram.library.appending(path: "libGenesysLoopC.so").path]

    private func install(_ arguments: [String], variables: [String: String] = [:]) async throws -> Child.End {
        await (try Child(InstallTests.script, arguments, variables: variables)).end()
    }

    /// The paths of the files below a folder.
    private func files(below folder: URL) async throws -> Set<String> {
        let find = try await CProgram.run("find", [folder.path, "!", "-type", "d", "-printf", "%P\\n"])
        return Set(find.outputText.split(separator: "\n").map(String.init))
    }

    private func installed(in libdir: String) -> Set<String> {
        [
            "\(libdir)/libGenesysLoopC.so", "\(libdir)/libGenesysLoopC.so.0", "\(libdir)/pkgconfig/genesys-loop.pc",
            "\(libdir)/cmake/GenesysLoopC/GenesysLoopCConfig.cmake",
            "\(libdir)/cmake/GenesysLoopC/GenesysLoopCConfigVersion.cmake", "include/genesys_loop.h",
        ]
    }

    /// Compiles the example with the flags of pkg-config, which must be enough to run it.
    private func compile(into program: URL, packages: URL) async throws {
        let source = CProgram.root.appending(path: "Examples/C/listen.c").path
        let command = "eval cc '\(source)' -o '\(program.path)' \"$(pkg-config --cflags --libs genesys-loop)\""
        let end = await
            (try Child(
                URL(filePath: "/bin/sh"), ["-c", command], variables: ["PKG_CONFIG_PATH": packages.path]
            )).end()
        try #require(end.status == 0, "\(end.errors)")
    }

    @Test func `a program is built and runs where the prefix has blanks in its name`() async throws {
        guard CProgram.isPossible, CProgram.has("pkg-config") else { return }
        try await CProgram.withFolder { folder in
            let prefix = folder.appending(path: "a place  of my own")
            let end = try await install(["--prefix", prefix.path, "--libdir", "lib/mine"] + InstallTests.built)
            try #require(end.status == 0, "\(end.errors)")
            #expect(try await files(below: prefix) == installed(in: "lib/mine"))
            let libraries = prefix.appending(path: "lib/mine")
            let link = libraries.appending(path: "libGenesysLoopC.so").path
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "libGenesysLoopC.so.0")

            let program = folder.appending(path: "program")
            try await compile(into: program, packages: libraries.appending(path: "pkgconfig"))
            let usage = await (try Child(program, [])).end()
            #expect(usage.errors.hasPrefix("usage: listen"), "\(usage.status): \(usage.errors)")

            // The commands that the script prints.
            let source = CProgram.root.appending(path: "Examples/C/listen.c")
            try FileManager.default.copyItem(at: source, to: folder.appending(path: "host.c"))
            let told = "cd '\(folder.path)'\n\(end.outputText)./host"
            let host = await (try Child(URL(filePath: "/bin/bash"), ["-eu", "-c", told])).end()
            #expect(host.errors.hasPrefix("usage: listen"), "\(told): \(host.errors)")
        }
    }

    @Test func `CMake finds the package, and links a program with its target`() async throws {
        guard CProgram.isPossible, CProgram.has("cmake") else { return }
        try await CProgram.withFolder { folder in
            let prefix = folder.appending(path: "a place of my own")
            let end = try await install(["--prefix", prefix.path] + InstallTests.built)
            try #require(end.status == 0, "\(end.errors)")
            let project = """
                cmake_minimum_required(VERSION 3.10)
                project(program C)
                find_package(GenesysLoopC 0.1 REQUIRED)
                find_package(GenesysLoopC 9 QUIET)
                if(GenesysLoopC_FOUND)
                  message(FATAL_ERROR "version 9 is not there")
                endif()
                add_executable(program "\(CProgram.root.path)/Examples/C/listen.c")
                target_link_libraries(program PRIVATE GenesysLoop::GenesysLoopC)
                """
            let list = folder.appending(path: "CMakeLists.txt")
            try project.write(to: list, atomically: true, encoding: .utf8)
            let build = folder.appending(path: "build").path
            let configured = try await CProgram.run(
                "cmake", ["-S", folder.path, "-B", build, "-DCMAKE_PREFIX_PATH=\(prefix.path)"])
            try #require(configured.status == 0, "\(configured.errors)")
            let made = try await CProgram.run("cmake", ["--build", build])
            try #require(made.status == 0, "\(made.errors)")
            let usage = await (try Child(URL(filePath: build).appending(path: "program"), [])).end()
            #expect(usage.errors.hasPrefix("usage: listen"), "\(usage.status): \(usage.errors)")
        }
    }

    @Test func `a package is staged below DESTDIR, of which its files say nothing`() async throws {
        guard CProgram.isPossible else { return }
        try await CProgram.withFolder { stage in
            let arguments = ["--prefix=/usr", "--libdir", "/usr/lib/multiarch"] + InstallTests.built
            let end = try await install(arguments, variables: ["DESTDIR": stage.path])
            try #require(end.status == 0, "\(end.errors)")
            let usr = stage.appending(path: "usr")
            #expect(try await files(below: stage).count == 6)
            #expect(try await files(below: usr) == installed(in: "lib/multiarch"))
            for name in try await files(below: usr) where !name.contains(".so") {
                let text = try String(contentsOf: usr.appending(path: name), encoding: .utf8)
                #expect(!text.contains(stage.path), "\(name)")
            }
            let description = usr.appending(path: "lib/multiarch/pkgconfig/genesys-loop.pc")
            let lines = try String(contentsOf: description, encoding: .utf8).split(separator: "\n")
            #expect(lines.contains("prefix=/usr") && lines.contains("libdir=${prefix}/lib/multiarch"))
            #expect(lines.contains("Requires: libuv"))
            // The system's linker searches this folder without a run path.
            #expect(lines.contains("Libs: -L\"${libdir}\" -lGenesysLoopC"))
        }
    }

    @Test(arguments: [
        ["--prefix"], ["--prefix="], ["--libdir", ""], ["--prefix", "/a\"b"], ["--libdir", "/a,b"], ["--nothing"],
    ])
    func `what cannot be installed ends with 64 before anything is done`(arguments: [String]) async throws {
        let end = try await install(arguments + InstallTests.built)
        #expect(end.status == 64)
        #expect(end.errors.contains("install-c:"))
    }

    @Test(.enabled(if: isWhole, "it builds for release; Scripts/test --all runs it"))
    func `the installed library has Swift inside, shows the header's functions alone, and knows no build machine`()
        async throws
    {
        guard CProgram.isPossible, CProgram.has("readelf"), CProgram.has("nm"), CProgram.has("pkg-config") else {
            return
        }
        try await CProgram.withFolder { prefix in
            let end = try await install(["--prefix", prefix.path])
            try #require(end.status == 0, "\(end.errors)")
            let library = prefix.appending(path: "lib/libGenesysLoopC.so.0")

            let dynamic = try await CProgram.run("readelf", ["-d", library.path]).outputText
            #expect(dynamic.contains("Library soname: [libGenesysLoopC.so.0]"))
            #expect(!dynamic.contains("(RPATH)") && !dynamic.contains("(RUNPATH)") && !dynamic.contains("TEXTREL"))
            #expect(dynamic.contains("NODELETE"))
            let needed = dynamic.matches(of: /Shared library: \[(\w+(?:\+\+)?)[^\]]*\]/).map { String($0.1) }
            let known: Set = ["libuv", "libssl", "libcrypto", "libz", "libstdc++", "libgcc_s", "libm", "libc", "ld"]
            #expect(Set(needed).isSubset(of: known), "\(needed)")

            let names = try await CProgram.run("nm", ["-D", "--defined-only", library.path]).outputText
                .split(separator: "\n").compactMap { $0.split(separator: " ").last }
            let list = CProgram.root.appending(path: "Tests/C/symbols.txt")
            #expect(names.sorted() == (try String(contentsOf: list, encoding: .utf8).split(separator: "\n")))
            let sections = try await CProgram.run("readelf", ["-S", "-W", library.path]).outputText
            #expect(!sections.contains(".symtab") && !sections.contains(".debug_info"), "it is not stripped")
            let bytes = try Data(contentsOf: library)
            #expect(bytes.range(of: Data(CProgram.root.path.utf8)) == nil, "it names the folder it was built in")

            try await CProgram.compiled("Tests/C/unload.c", ["-rdynamic", "-ldl"]) { program in
                let unloaded = await (try Child(program, [library.path])).end()
                #expect(unloaded.status == 0 && unloaded.outputText == "it stayed\n", "\(unloaded.errors)")
            }
            let program = prefix.appending(path: "listen")
            try await compile(into: program, packages: prefix.appending(path: "lib/pkgconfig"))
            try await Simulator.with("--rate", "1000") { simulator in
                let arguments = [simulator.announcement.uri, simulator.announcement.caFile, "50", InstallTests.topic]
                let heard = await (try Child(program, arguments, variables: ["LD_LIBRARY_PATH": ""])).end()
                #expect(heard.status == 0, "\(heard.errors)")
                #expect(heard.outputText.split(separator: "\n").count == 50)
            }
        }
    }
}
