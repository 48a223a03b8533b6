import Foundation
import Testing

/// A program of `Tests/Hosts`, linked to the library's objects, with a C library that is loaded before it.
final class HostProgram {
    static let canBuild: Bool = {
        #if os(Linux)
        return canPreload && !objects.isEmpty
        #else
        return false
        #endif
    }()
    /// Whether a library can be loaded before a program of the build.
    static let canPreload: Bool = {
        #if os(Linux)
        return ProcessInfo.processInfo.environment["GENESYS_LOOP_SANITIZER"] == nil && CProgram.find("cc") != nil
        #else
        return false
        #endif
    }()
    static let missing: Comment = "SKIPPED: it needs Linux, a C compiler and a build without sanitizers"

    /// The objects of existing sources: objects of deleted files stay in the folder until a clean build.
    private static let objects: [String] = ["GenesysLoop", "Logging"].flatMap { name in
        let map = CProgram.library.appending(path: "\(name).build/output-file-map.json")
        let outputs = try? JSONDecoder().decode([String: [String: String]].self, from: Data(contentsOf: map))
        return (outputs ?? [:]).values.compactMap { $0["object"] }.sorted()
    }

    private let folder: URL
    private let program: URL
    /// The variables for a program's environment.
    let variables: [String: String]

    /// - Parameters:
    ///   - source: a file of `Tests/Hosts`; nil to load the library before another program.
    ///   - libraries: files in C; what two of them define comes from the first.
    init(_ source: String?, preloading libraries: String...) async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "host-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        program = folder.appending(path: "host")
        let objects = libraries.indices.map { [folder] in folder.appending(path: "preload\($0).so").path }
        variables = ["LD_PRELOAD": objects.joined(separator: ":")]
        for (library, object) in zip(libraries, objects) {
            try await HostProgram.run(
                ["cc", "-shared", "-fPIC", "-o", object, "\(CProgram.root.path)/\(library)", "-ldl"])
        }
        guard let source else { return }
        let list = folder.appending(path: "objects").path
        try HostProgram.objects.joined(separator: "\n").write(toFile: list, atomically: true, encoding: .utf8)
        var command = [
            "swiftc", "-swift-version", "6", "-o", program.path, "-I",
            CProgram.library.appending(path: "Modules").path,
        ]
        for name in ["CUV", "COpenSSL", "CVector", "CZlib"] {
            command += ["-Xcc", "-fmodule-map-file=\(CProgram.root.path)/Sources/\(name)/module.modulemap"]
        }
        command += ["\(CProgram.root.path)/Tests/Hosts/\(source)", "@\(list)"]
        command += ["-luv", "-lssl", "-lcrypto", "-lz"]
        try await HostProgram.run(command)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func start(_ arguments: String...) throws -> Child {
        try Child(program, arguments, variables: variables)
    }

    private static func run(_ command: [String]) async throws {
        try await Slots.taken {
            let end = await (try Child(URL(filePath: "/usr/bin/env"), command)).end()
            try #require(end.status == 0, "\(end.outputText)\(end.errors)")
        }
    }
}
