import Foundation
import Testing

/// The links of the pages; docc checks those between articles and symbols.
@Suite struct PageLinkTests {
    private static let pages =
        Page.all.map(\.path) + ["CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "Benchmarks/README.md"]

    @Test(arguments: pages)
    func `a link to a file of the repository leads to one`(page: String) throws {
        let folder = Page.root.appending(path: page).deletingLastPathComponent()
        for match in try Page.text(page).matches(of: /\]\(([^)\s#]+)[^)]*\)/) where !match.1.contains(":") {
            let target = folder.appending(path: String(match.1))
            #expect(FileManager.default.fileExists(atPath: target.path), "\(page) has a link to \(match.1)")
        }
    }

    @Test func `the README is read to its end: it has at most 150 lines`() throws {
        #expect(try Page.text("README.md").split(separator: "\n", omittingEmptySubsequences: false).count <= 151)
    }

    /// `Examples/FirstHost` is built here as a part of the package, so its own manifest is not.
    @Test func `the README's package builds what the tests build`() throws {
        let manifest = try Page.text("Examples/FirstHost/Package.swift")
        let package = try Page.text("Package.swift")
        #expect(package.contains("path: \"Examples/FirstHost/Sources/first-host\""))
        for product in ["GenesysLoop", "GenesysSimulator", "CUV", "GenesysLoopC"] {
            #expect(package.contains(".library(name: \"\(product)\""))
            #expect(try Page.text("README.md").contains("`\(product)`"))
        }
        #expect(manifest.contains(#".product(name: "GenesysLoop", package: "GenesysLoop")"#))
    }
}
