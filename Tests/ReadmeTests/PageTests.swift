import Foundation
import Testing

/// Every block of code on a page is compiled and run. CONTRIBUTING.md, *The pages*, has the rules.
@Suite(.timeLimit(.minutes(patience(3)))) struct PageTests {
    /// The files that the tests compile and run, by the language of a block.
    static let compiled: [String: [String]] = {
        let suffixes = ["swift": ".swift", "c": ".c", "python": ".py"]
        let folders = ["Tests/ReadmeTests/Snippets", "Tests/Neighbors", "Examples"]
        let files = folders.flatMap(Page.files)
        return suffixes.mapValues { suffix in files.filter { $0.hasSuffix(suffix) } }
    }()

    @Test(arguments: Page.all)
    func `there is a rule for each block of a page`(page: Page) async throws {
        for block in try page.blocks {
            let place: Comment = "\(page):\(block.line)"
            switch block.language {
            case "swift", "c", "python": try Self.checkText(of: block, at: place)
            case "json": try await JSONBlock.check(block, at: place)
            case "sh": try await Self.checkCommands(of: block, at: place)
            case "text": try await Self.checkOptions(of: block, at: place)
            case "mermaid": break
            default: Issue.record("\(place): no rule covers the language '\(block.language)'")
            }
        }
    }

    /// Commands that build and install are compared with what the repository has; all others run, with a simulator.
    private static func checkCommands(of block: Page.Block, at place: Comment) async throws {
        let shell = ShellBlock(block)
        let compared = shell.commands.filter(ShellBlock.isCompared)
        if !compared.isEmpty {
            #expect(compared == shell.commands, "\(place): commands that run and commands that build, in one block")
            for command in compared { try ShellBlock.compare(command, at: place) }
            return
        }
        for program in ["bash", "curl", "jq", "redis-server"]
        where shell.block.text.contains(program) || program == "bash" {
            guard Command.find(program) != nil else {
                return Swift.print("SKIPPED: the commands of \(place) did not run: there is no \(program)")
            }
        }
        let service = try await LocalService.start(tls: true)
        let end = try await withTemporaryFolder { try await shell.run(in: .init(service: service, folder: $0)) }
        #expect(end.status == 0, "\(place): \(end.output)\(end.errors)")
        await service.close()
    }

    /// The options of a synopsis, or of a session after its `$`, are options of the program at the line's beginning.
    private static func checkOptions(of block: Page.Block, at place: Comment) async throws {
        var help: String?
        for line in block.lines {
            let words = line.split(separator: " ").map(String.init).filter { $0 != "$" }
            if let program = words.first, !line.hasPrefix(" ") { help = try await Self.help(of: program, words) }
            guard let help else { continue }
            for match in line.matches(of: /--[a-z][a-z-]+/) {
                #expect(help.contains(match.0), "\(place): \(match.0) is no option of this program")
            }
        }
    }

    /// What a program says of its options; nil for other words.
    private static func help(of program: String, _ words: [String]) async throws -> String? {
        switch program.split(separator: "/").last {
        case "genesys-loop", "websocket-echo":
            let name = String(program.split(separator: "/").last ?? "")
            let command = words.dropFirst().prefix { name == "genesys-loop" && !$0.hasPrefix("-") }.prefix(1)
            return try await Command.run(Command.programs.appending(path: name), command + ["--help"]).output
        case _ where program.hasPrefix("./Scripts/"):
            return try Page.text(String(program.dropFirst(2)))
        default:
            return nil
        }
    }

    @Test(arguments: Page.all)
    func `code on a page is fenced`(page: Page) throws {
        var isFenced = false
        var isList = false
        var isAfterBlank = true
        for (number, line) in try page.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let text = line.drop { $0 == " " }
            if text.hasPrefix("```") { isFenced.toggle() }
            if isFenced || text.isEmpty {
                isAfterBlank = true
                continue
            }
            let indent = line.count - text.count
            if indent == 0 { isList = text.firstMatch(of: #/^(?:[-*]|\d+\.) /#) != nil }
            #expect(indent < 4 || isList || !isAfterBlank, "\(page):\(number + 1): code without a fence")
            isAfterBlank = false
        }
    }

    /// The block must be the text of a file that the tests compile and run.
    private static func checkText(of block: Page.Block, at place: Comment) throws {
        let files = try compiled[block.language, default: []].filter { try contains(block, $0) }
        #expect(!files.isEmpty, "\(place): no file that the tests compile holds this text")
    }

    /// Whether a file holds a block: its lines, one after another, equally indented; and each of the imports at its
    /// beginning, anywhere.
    private static func contains(_ block: Page.Block, _ file: String) throws -> Bool {
        let lines = try Page.text(file).components(separatedBy: "\n")
        let isImport = { (line: String) in line.hasPrefix("import ") || line.hasPrefix("#include ") }
        let imports = block.lines.prefix { isImport($0) || $0.isEmpty }
        guard imports.allSatisfy(lines.contains) else { return false }
        let code = block.lines.dropFirst(imports.count)
        guard let first = code.first else { return true }
        return lines.indices.contains { start in
            guard lines[start].hasSuffix(first), start + code.count <= lines.count else { return false }
            let indent = lines[start].dropLast(first.count)
            return indent.allSatisfy { $0 == " " }
                && zip(code, lines[start...]).allSatisfy { $0.isEmpty ? $1.isEmpty : indent + $0 == $1 }
        }
    }

    /// Text of an example may be on a page, so each is a target of the package, or belongs to `Tests/Neighbors`, which
    /// runs it.
    @Test func `each example in Swift is built`() throws {
        let manifests = try Page.text("Package.swift") + Page.text("Tests/Neighbors/Package.swift")
        for file in Page.files("Examples") where file.hasSuffix(".swift") && !file.hasSuffix("/Package.swift") {
            let folder = file.split(separator: "/").prefix(2).joined(separator: "/")
            #expect(manifests.contains("\(folder)\"") || manifests.contains("\(folder)/"), "\(file)")
        }
    }

    @Test func `the manifests of examples are valid`() async throws {
        let swift = try #require(Command.find("swift"))
        for file in Page.files("Examples") where file.hasSuffix("/Package.swift") {
            let folder = file.split(separator: "/").dropLast().joined(separator: "/")
            try await withTemporaryFolder { scratch in
                let end = try await Command.run(
                    swift, ["package", "--package-path", folder, "--scratch-path", scratch.path, "dump-package"],
                    in: Page.root)
                #expect(end.status == 0, "\(file): \(end.errors)")
            }
        }
    }

    @Test func `each snippet is on a page and has tests that run it`() throws {
        let blocks = try Page.all.flatMap { try $0.blocks }
        let snippets = Page.files("Tests/ReadmeTests/Snippets")
        #expect(!snippets.isEmpty)
        for file in snippets {
            let name = try #require(file.split(separator: "/").last?.split(separator: ".").first)
            #expect(try blocks.contains { try Self.contains($0, file) }, "no page shows \(file)")
            // A snippet may be a test itself.
            let tests = [file, "Tests/ReadmeTests/\(name)Tests.swift"].compactMap { try? Page.text($0) }
            #expect(tests.contains { $0.contains("@Test") }, "there is no \(name)Tests.swift with a test of \(file)")
        }
    }
}
