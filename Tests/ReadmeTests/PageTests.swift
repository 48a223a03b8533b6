import Foundation
import Testing

/// Every block of code on a page is compiled and run. CONTRIBUTING.md, *The pages*, has the rules.
@Suite struct PageTests {
    /// The files that the tests compile and run, by the language of a block.
    static let compiled: [String: [String]] = {
        let suffixes = ["swift": ".swift", "c": ".c", "python": ".py"]
        let folders = ["Tests/ReadmeTests/Snippets", "Tests/Neighbors", "Examples"]
        let files = folders.flatMap(Page.files)
        return suffixes.mapValues { suffix in files.filter { $0.hasSuffix(suffix) } }
    }()

    @Test(arguments: Page.all)
    func `there is a rule for each block of a page`(page: Page) throws {
        for block in try page.blocks {
            switch block.language {
            case "swift", "c", "python": try Self.checkText(of: block, on: page)
            case "json", "mermaid": break
            default: Issue.record("\(page):\(block.line): no rule covers the language '\(block.language)'")
            }
        }
    }

    /// The block must be the text of a file that the tests compile and run.
    private static func checkText(of block: Page.Block, on page: Page) throws {
        let files = try compiled[block.language, default: []].filter { try contains(block, $0) }
        #expect(!files.isEmpty, "\(page):\(block.line): no file that the tests compile holds this text")
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

    @Test func `each snippet is on a page and has tests that run it`() throws {
        let blocks = try Page.all.flatMap { try $0.blocks }
        let snippets = Page.files("Tests/ReadmeTests/Snippets")
        #expect(!snippets.isEmpty)
        for file in snippets {
            let name = try #require(file.split(separator: "/").last?.split(separator: ".").first)
            #expect(try blocks.contains { try Self.contains($0, file) }, "no page shows \(file)")
            let tests = try? Page.text("Tests/ReadmeTests/\(name)Tests.swift")
            #expect(tests?.contains("@Test") == true, "there is no \(name)Tests.swift with a test of \(file)")
        }
    }
}
