import Foundation
import Testing

/// What must not compile does not: each file of `Tests/Misuses` is given to the compiler, which must find what the
/// comments of the file say, and nothing else.
@Suite(.timeLimit(.minutes(patience(2)))) struct CompileTimeMisuseTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static let files: [String] = {
        let folder = root.appending(path: "Tests/Misuses").path
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }()

    /// The folder with the library's module: beside the tests.
    private static let modules: URL? = {
        let beside = Bundle.main.executableURL?.deletingLastPathComponent()
        let folders = [
            beside, Bundle.main.bundleURL, Bundle.main.bundleURL.deletingLastPathComponent(),
            root.appending(path: ".build/debug"),
        ]
        return folders.compactMap { $0?.appending(path: "Modules") }.first {
            FileManager.default.fileExists(atPath: $0.appending(path: "GenesysLoop.swiftmodule").path)
        }
    }()

    @Test func `there are misuses, and a right use`() {
        #expect(Self.files.count > 5)
        #expect(Self.files.contains("RightUse.swift"))
    }

    @Test(arguments: ["StoredNotification", "CollectedNotification", "CapturedNotification"])
    func `the page about keeping a notification shows the compiler's words`(_ name: String) throws {
        func text(_ path: String) throws -> String {
            try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
        }
        let words = try #require(try text("Tests/Misuses/\(name).swift").firstMatch(of: /\/\/ error: (.*)/)).1
        let page = try text("Sources/GenesysLoop/GenesysLoop.docc/Embedding.md")
            .split(separator: "## Keeping a notification")
        #expect(page.count == 2 && page[1].contains(words))
    }

    @Test(.enabled(if: modules != nil, "SKIPPED: the library's module does not lie beside the tests"), arguments: files)
    func `the compiler says what is wrong, where it is, and nothing else`(_ name: String) throws {
        let file = Self.root.appending(path: "Tests/Misuses/\(name)")
        var expected: [Int: String] = [:]
        for (index, line) in try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n").enumerated() {
            if let mark = line.range(of: "// error: ") { expected[index + 1] = String(line[mark.upperBound...]) }
        }
        #expect(expected.isEmpty == (name == "RightUse.swift"))

        let (status, text) = try compile(file)
        #expect((status == 0) == expected.isEmpty, "\(text)")
        var found: Set<Int> = []
        for match in text.matches(of: /\.swift:(\d+):\d+: error: (.*)/) {
            let line = try #require(Int(match.1))
            found.insert(line)
            #expect(match.2.contains(expected[line] ?? "no error"), "line \(line): \(match.2)")
        }
        #expect(found == Set(expected.keys), "\(text)")
    }

    /// As far as the checks of lifetimes and of isolation go, which come after those of types.
    private func compile(_ file: URL) throws -> (status: Int32, text: String) {
        let modules = try #require(Self.modules)
        let maps = ["CUV", "COpenSSL", "CVector", "CZlib"].flatMap { name in
            ["-Xcc", "-fmodule-map-file=\(Self.root.path)/Sources/\(name)/module.modulemap"]
        }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            ["swiftc", "-swift-version", "6", "-emit-sil", "-o", "/dev/null", "-I", modules.path] + maps + [file.path]
        let output = Pipe()
        process.standardOutput = FileHandle.nullDevice
        process.standardError = output
        // By a thread that ends: it has a run loop then, which the process refers to.
        let hasEnded = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let isStarted = (try? process.run()) != nil
            try? output.fileHandleForWriting.close()
            if isStarted { process.waitUntilExit() }
            hasEnded.signal()
        }
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        hasEnded.wait()
        try #require(process.processIdentifier > 0, "swiftc did not start")
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }
}
