import Foundation
import Testing

/// A C program that is compiled against the library.
enum CProgram {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let header = root.appending(path: "Sources/GenesysLoopC/include")
    /// The build folder, with the library and its objects.
    static let library = Tool.executable.deletingLastPathComponent()

    /// Whether programs can be compiled and run here; prints a line if not.
    static let isPossible: Bool = {
        // A program built without a sanitizer cannot load a library built with one.
        guard ProcessInfo.processInfo.environment["GENESYS_LOOP_SANITIZER"] == nil else {
            print("SKIPPED: the tests of the C interface did not run: not with a sanitizer")
            return false
        }
        return has("cc")
    }()

    /// Whether a program exists; prints a line if not.
    static func has(_ program: String) -> Bool {
        if find(program) != nil { return true }
        print("SKIPPED: some tests of the C interface did not run: there is no \(program)")
        return false
    }

    static func find(_ program: String) -> URL? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.map { URL(filePath: String($0)).appending(path: program) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    static func run(_ program: String, _ arguments: [String]) async throws -> Child.End {
        await (try Child(try #require(find(program)), arguments)).end()
    }

    /// Compiles a program against the library of the build.
    static func built(
        _ source: String, _ flags: [String] = [], body: (URL) async throws -> Void
    ) async throws {
        try await compiled(
            source, ["-L\(library.path)", "-lGenesysLoopC", "-Wl,-rpath,\(library.path)", "-luv"] + flags, body: body)
    }

    /// Compiles a program against the header alone.
    static func compiled(_ source: String, _ flags: [String], body: (URL) async throws -> Void) async throws {
        try await withFolder { folder in
            let program = folder.appending(path: "program")
            let end = try await run(
                "cc",
                ["-std=gnu11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", root.appending(path: source).path]
                    + ["-I\(header.path)", "-lpthread", "-o", program.path] + flags)
            try #require(end.status == 0, "\(end.errors)")
            try await body(program)
        }
    }

    /// A temporary folder.
    static func withFolder(body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "c-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }
}
