import Foundation
import Testing

/// `Scripts/check-api` in a repository of its own, with symbol graphs that a test writes.
@Suite(.timeLimit(.minutes(patience(2)))) struct APIComparisonTests {
    /// A module with these declarations: path and text. `required` are those without a default implementation.
    private struct Module {
        var declarations: [(path: String, text: String)] = [
            ("Channel", "class Channel"), ("Channel.open()", "func open()"), ("State", "enum State"),
            ("State.idle", "case idle"), ("Delegate", "protocol Delegate"),
        ]
        var required: Set<String> = []

        func write(to folder: URL) throws {
            let symbols = declarations.map { path, text in
                [
                    "kind": ["identifier": "swift.func"], "identifier": ["precise": path],
                    "pathComponents": path.split(separator: ".").map(String.init),
                    "declarationFragments": [["kind": "text", "spelling": text]],
                ] as [String: Any]
            }
            let relations = required.map { ["kind": "requirementOf", "source": $0, "target": "Delegate"] }
            let graph: [String: Any] = ["symbols": symbols, "relationships": relations]
            try JSONSerialization.data(withJSONObject: graph).write(
                to: folder.appending(path: "graphs/Library/Library.symbols.json"))
        }
    }

    private static func withRepository(_ body: (URL) async throws -> Void) async throws {
        try await CProgram.withFolder { folder in
            let manager = FileManager.default
            for name in ["Scripts", "graphs/Library"] {
                try manager.createDirectory(at: folder.appending(path: name), withIntermediateDirectories: true)
            }
            try manager.copyItem(
                at: CProgram.root.appending(path: "Scripts/check-api"), to: folder.appending(path: "Scripts/check-api"))
            try Module().write(to: folder)
            try await git(folder, "init", "--quiet")
            #expect(try await checkAPI(folder, "--update").status == 0)
            try await commit(folder)
            try await commit(folder)
            try await body(folder)
        }
    }

    private static func checkAPI(_ folder: URL, _ arguments: String...) async throws -> Child.End {
        let script = folder.appending(path: "Scripts/check-api")
        return await (try Child(script, [folder.appending(path: "graphs").path] + arguments)).end()
    }

    private static func git(_ folder: URL, _ arguments: String...) async throws {
        let name = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-C", folder.path]
        let end = await (try Child(URL(filePath: "/usr/bin/env"), ["git"] + name + arguments)).end()
        try #require(end.status == 0, "\(end.errors)")
    }

    private static func commit(_ folder: URL) async throws {
        try await git(folder, "add", "Scripts", "Tests")
        try await git(folder, "commit", "--quiet", "--allow-empty", "--message", "a commit")
    }

    @Test func `an API that is as before passes`() async throws {
        try await Self.withRepository { folder in
            let end = try await Self.checkAPI(folder)
            #expect(end.status == 0 && end.outputText.isEmpty, "\(end.outputText)\(end.errors)")
        }
    }

    @Test func `an addition must be in the file, and breaks nothing`() async throws {
        try await Self.withRepository { folder in
            var module = Module()
            module.declarations.append(("Channel.close()", "func close()"))
            try module.write(to: folder)
            let end = try await Self.checkAPI(folder)
            #expect(end.status == 1)
            #expect(
                end.outputText.contains("not in the file (Scripts/check --update-api): Channel.close(): func close()"))
            #expect(!end.outputText.contains("breaks programs"))
            #expect(try await Self.checkAPI(folder, "--update").status == 0)
            #expect(try await Self.checkAPI(folder).status == 0)
        }
    }

    @Test(arguments: [
        ("gone", "Library gone: Channel.open(): func open()"),
        ("changed", "Library gone: Channel.open(): func open()"),
        ("case", "Library new case: State.ended: case ended"),
        ("requirement", "Library new requirement: Delegate.didMiss(): func didMiss() // required"),
    ])
    func `a break is an error until it is permitted, also when it is committed`(
        _ kind: String, _ line: String
    ) async throws {
        try await Self.withRepository { folder in
            var module = Module()
            switch kind {
            case "gone": module.declarations.remove(at: 1)
            case "changed": module.declarations[1].text = "func open() throws"
            case "case": module.declarations.append(("State.ended", "case ended"))
            default:
                module.declarations.append(("Delegate.didMiss()", "func didMiss()"))
                module.required = ["Delegate.didMiss()"]
            }
            try module.write(to: folder)
            #expect(try await Self.checkAPI(folder, "--update").status == 0)
            try await Self.commit(folder)
            let end = try await Self.checkAPI(folder)
            #expect(end.status == 1)
            #expect(
                end.outputText.contains("\(line)\n    breaks programs written for HEAD's parent"), "\(end.outputText)")
            try Self.allow("# meant", "", line, in: folder)
            #expect(try await Self.checkAPI(folder).status == 0)
        }
    }

    @Test func `with a tag, the API is compared with that, however long ago it was`() async throws {
        try await Self.withRepository { folder in
            try await Self.git(folder, "tag", "1.0.0")
            var module = Module()
            module.declarations.remove(at: 1)
            try module.write(to: folder)
            #expect(try await Self.checkAPI(folder, "--update").status == 0)
            try await Self.commit(folder)
            try await Self.commit(folder)
            let end = try await Self.checkAPI(folder)
            #expect(end.status == 1)
            #expect(end.outputText.contains("breaks programs written for the tag 1.0.0"), "\(end.outputText)")
        }
    }

    /// Writes the list of breaks that are meant.
    private static func allow(_ lines: String..., in folder: URL) throws {
        try lines.map { "\($0)\n" }.joined().write(
            to: folder.appending(path: "Tests/API/allowed-breaks.txt"), atomically: true, encoding: .utf8)
    }

    @Test(arguments: [
        "Library gone: Channel.open(): func open()", "Library new case: State.ended: case ended",
        "Library new requirement: Delegate.didMiss(): func didMiss() // required", "Other gone: A: class A", "nonsense",
    ])
    func `a permission for a break that cannot be is an error`(_ line: String) async throws {
        try await Self.withRepository { folder in
            try Self.allow(line, in: folder)
            let end = try await Self.checkAPI(folder)
            #expect(end.status == 1)
            #expect(
                end.outputText == "Tests/API/allowed-breaks.txt: permits nothing, remove it: \(line)\n",
                "\(end.outputText)\(end.errors)")
        }
    }

    @Test func `a permission stays until a release, and is an error after it`() async throws {
        try await Self.withRepository { folder in
            var module = Module()
            module.declarations.remove(at: 1)
            try module.write(to: folder)
            #expect(try await Self.checkAPI(folder, "--update").status == 0)
            try Self.allow("Library gone: Channel.open(): func open()", in: folder)
            try await Self.commit(folder)
            try await Self.commit(folder)
            let before = try await Self.checkAPI(folder)
            #expect(before.status == 0, "\(before.outputText)")
            try await Self.git(folder, "tag", "1.0.0")
            let after = try await Self.checkAPI(folder)
            #expect(after.status == 1 && after.outputText.contains("permits nothing, remove it"), "\(after.outputText)")
        }
    }

    @Test func `an enum or a protocol that is new may have every case and every requirement`() async throws {
        try await Self.withRepository { folder in
            var module = Module()
            module.declarations += [
                ("Color", "enum Color"), ("Color.red", "case red"), ("Painter", "protocol Painter"),
                ("Painter.paint()", "func paint()"),
            ]
            module.required = ["Painter.paint()"]
            try module.write(to: folder)
            #expect(try await Self.checkAPI(folder, "--update").status == 0)
            #expect(try await Self.checkAPI(folder).status == 0)
        }
    }

    @Test func `a folder without symbol graphs is wrong usage`() async throws {
        try await Self.withRepository { folder in
            try FileManager.default.removeItem(at: folder.appending(path: "graphs/Library"))
            #expect(try await Self.checkAPI(folder).status == 64)
        }
    }
}
