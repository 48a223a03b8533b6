import Foundation
import Testing

/// The README's code is this target's code: it compiles, and the page shows it word for word.
@Suite struct ReadmeTests {
    @Test(arguments: ["Host.swift", "Embedding.swift"])
    func `the README shows code that compiles`(_ name: String) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let root = folder.deletingLastPathComponent().deletingLastPathComponent()
        let code = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
        let readme = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
        #expect(readme.contains("```swift\n\(code)```"), "README.md does not hold the text of \(name)")
    }
}
