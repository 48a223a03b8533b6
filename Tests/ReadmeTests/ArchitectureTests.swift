import Foundation
import Testing

/// `Documentation/Architecture.md` names files and functions that exist, and its routes are as short as it says.
@Suite struct ArchitectureTests {
    private static let root = URL(fileURLWithPath: #filePath).appending(path: "../../..").standardizedFileURL

    private static func page() throws -> String {
        try String(contentsOf: root.appending(path: "Documentation/Architecture.md"), encoding: .utf8)
    }

    /// The file that the page means: of the library unless it names a folder of the package.
    private static func file(_ name: Substring) -> URL {
        let folders = ["Sources/", "Scripts/", "Tests/", "Benchmarks/", "Conformance/", "Documentation/"]
        return root.appending(path: folders.contains(where: name.hasPrefix) ? "\(name)" : "Sources/GenesysLoop/\(name)")
    }

    /// The files of a route, in its order.
    private static func route(_ number: Int) throws -> [Substring] {
        let section = try #require(try page().split(separator: "## Route ").first { $0.hasPrefix("\(number)") })
        let items = section.matches(of: /(?m)^\d+\. (.*(?:\n {4}.*)*)/).map(\.1)
        return items.flatMap { $0.matches(of: /`([\w+]+\/[\w+\/.]+)`/).map(\.1) }
    }

    @Test func `every file that the page names exists`() throws {
        let names = try Self.page().matches(of: /`([\w+.\/-]+\/[\w+.\/-]*)`/).map(\.1)
        #expect(names.count > 70)
        for name in names {
            #expect(FileManager.default.fileExists(atPath: Self.file(name).path), "\(name)")
        }
    }

    /// The aims are 16, 14 and 22 files.
    @Test(arguments: [(1, 17), (2, 14), (3, 23)])
    func `a route visits each file once, and no more files than the page admits`(_ number: Int, _ most: Int) throws {
        let route = try Self.route(number)
        #expect(route.count > 10 && route.count <= most)
        #expect(Set(route).count == route.count)
    }

    @Test func `a loss leaves its file in the machine four times at most`() throws {
        let machine = try Self.route(3).filter { $0.hasPrefix("ChannelMachine/") && $0 != "ChannelMachine/Gap.swift" }
        #expect(machine.first == "ChannelMachine/ChannelMachine+Connection.swift")
        #expect(machine.count - 1 <= 4)
    }

    @Test func `a notification changes its layer no more often than the page admits`() throws {
        let layers = try Self.route(1).map { $0.prefix { $0 != "/" } }
        let changes = zip(layers, layers.dropFirst()).count { $0 != $1 }
        #expect(changes <= 10)
    }

    @Test(arguments: [
        ("ChannelMachine/ChannelMachine+Connection.swift", "func replyReceived("),
        ("ChannelMachine/ChannelMachine+Connection.swift", "func confirmed("),
        ("ChannelMachine/ChannelMachine+Rollover.swift", "func promote("),
        ("Client/ChannelFailure+Link.swift", "extension FailureReason"),
        ("TLS/TLSError.swift", "alertReceived"),
        ("Transport/ProxyHandshake.swift", "struct ProxyHandshake"),
        ("Transport/ProxyURI.swift", "enum Scheme"),
    ])
    func `the answers to the page's questions are in the files that it names`(_ name: String, _ code: String) throws {
        #expect(try Self.page().contains("`\(name)`"))
        #expect(try String(contentsOf: Self.file(name[...]), encoding: .utf8).contains(code))
    }
}
