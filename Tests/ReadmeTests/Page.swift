import Foundation

/// A page of the manual: the README, one of `Documentation`, or an article of a documentation catalog.
struct Page: CustomStringConvertible, Sendable {
    /// A fenced block of code.
    struct Block: Sendable {
        /// The first word after the fence; empty if there is none.
        let language: String
        /// The number of the line with the fence.
        let line: Int
        /// Without the indentation of the fence.
        let lines: [String]

        var text: String { lines.map { $0 + "\n" }.joined() }
    }

    static let root = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL

    static let all: [Page] = {
        let catalogs = files("Sources").filter { $0.hasSuffix(".md") && $0.contains(".docc/") }
        let others = files("Documentation").filter { $0.hasSuffix(".md") }
        return (["README.md"] + others + catalogs).map(Page.init)
    }()

    /// The page with this name, wherever it is.
    static func named(_ name: String) -> Page? { all.first { $0.path == name || $0.path.hasSuffix("/\(name)") } }

    /// The files of a folder of the repository, with its subfolders, without those that are hidden.
    static func files(_ folder: String) -> [String] {
        let all = FileManager.default.enumerator(atPath: root.appending(path: folder).path)
        return (all ?? .init()).compactMap { $0 as? String }
            .filter { path in !path.split(separator: "/").contains { $0.hasPrefix(".") } }
            .map { "\(folder)/\($0)" }.sorted()
    }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// Relative to the repository.
    let path: String

    var description: String { path }
    var text: String { get throws { try Page.text(path) } }

    /// The page's blocks, in order.
    var blocks: [Block] {
        get throws {
            var blocks: [Block] = []
            var open: (indent: Int, language: String, line: Int)?
            var body: [String] = []
            for (number, line) in try text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                let indent = line.prefix { $0 == " " }.count
                guard line.dropFirst(indent).hasPrefix("```") else {
                    if let open { body.append(String(line.dropFirst(min(indent, open.indent)))) }
                    continue
                }
                if let (_, language, start) = open {
                    blocks.append(Block(language: language, line: start, lines: body))
                    (open, body) = (nil, [])
                } else {
                    let language = line.dropFirst(indent + 3).prefix { $0 != " " && $0 != "," }
                    open = (indent, String(language), number + 1)
                }
            }
            if let (_, language, start) = open {
                blocks.append(Block(language: "\(language) without an end", line: start, lines: body))
            }
            return blocks
        }
    }
}
