import Foundation
import Testing

/// On a loop that is not ours nothing is called that belongs to its owner: a preloaded library counts.
@Suite(.timeLimit(.minutes(patience(2)))) struct AdoptedLoopSpyTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    /// The folder of the build, with the library's objects.
    private static let build = Tool.executable.deletingLastPathComponent()

    static let canBuild: Bool = {
        #if os(Linux)
        let files = FileManager.default
        return ProcessInfo.processInfo.environment["GENESYS_LOOP_SANITIZER"] == nil
            && files.isExecutableFile(atPath: "/usr/bin/cc") && !objects.isEmpty
        #else
        return false
        #endif
    }()

    private static let objects: [String] = ["GenesysLoop", "Logging"].flatMap { name in
        let folder = build.appending(path: "\(name).build").path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".o") }.map { "\(folder)/\($0)" }
    }

    private func run(_ command: String...) async throws {
        let end = await (try Child(URL(filePath: "/usr/bin/env"), command)).end()
        try #require(end.status == 0, "\(end.outputText)\(end.errors)")
    }

    @Test(.enabled(if: canBuild, "SKIPPED: it needs Linux, a C compiler and a build without sanitizers"))
    func `channels on a foreign loop neither run, stop, walk nor close it`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spy-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let spy = folder.appending(path: "spy.so").path
        let host = folder.appending(path: "host").path
        let list = folder.appending(path: "objects").path
        try Self.objects.joined(separator: "\n").write(toFile: list, atomically: true, encoding: .utf8)
        let maps = ["CUV", "COpenSSL", "CVector", "CZlib"].map { "\(Self.root.path)/Sources/\($0)/module.modulemap" }
        try await Slots.taken {
            try await run(
                "cc", "-shared", "-fPIC", "-o", spy, "\(Self.root.path)/Tests/Hosts/forbidden_calls.c", "-ldl")
            var command = [
                "swiftc", "-swift-version", "6", "-o", host, "-I", Self.build.appending(path: "Modules").path,
            ]
            for map in maps { command += ["-Xcc", "-fmodule-map-file=\(map)"] }
            command += ["\(Self.root.path)/Tests/Hosts/AdoptingHost.swift", "@\(list)"]
            command += ["-luv", "-lssl", "-lcrypto", "-lz"]
            let built = await (try Child(URL(filePath: "/usr/bin/env"), command)).end()
            try #require(built.status == 0, "\(built.outputText)\(built.errors)")
        }
        try await Simulator.with("--rate", "50") { simulator in
            let announced = simulator.announcement
            let program = try Child(
                URL(filePath: host), [announced.uri, announced.caFile], variables: ["LD_PRELOAD": spy])
            let end = await program.end()
            #expect(end.status == 0)
            #expect(end.outputText == "closed\nclosed\ndetached\nuv_loop_close: 0\n")
            #expect(end.errors == "uv_run 2, uv_stop 0, uv_walk 0, uv_loop_close 1\n")
        }
    }
}
