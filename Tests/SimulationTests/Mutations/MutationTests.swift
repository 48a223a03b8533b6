import Foundation
import Testing

@Suite struct MutationTests {
    // The simulation's package reaches these files through a symbolic link.
    private static let root = URL(filePath: #filePath).resolvingSymlinksInPath().appending(path: "../../../..")
        .standardizedFileURL

    @Test func `each deliberate fault can still be put into the sources, at one place`() throws {
        for mutation in Mutation.all {
            for edit in mutation.edits {
                let text = try String(contentsOf: Self.root.appending(path: edit.file), encoding: .utf8)
                #expect(text.ranges(of: edit.before).count == 1, "\(mutation.name): \(edit.before)")
                #expect(edit.before != edit.after)
            }
        }
        #expect(Mutation.all.count >= 12)
        #expect(Set(Mutation.all.map(\.name)).count == Mutation.all.count)
    }

    /// `Scripts/mutate` reads the table from the path that it requested.
    @Test func `the table of the faults can be read by a script`() throws {
        let table = try JSONEncoder().encode(Mutation.all)
        #expect(try JSONDecoder().decode([Mutation].self, from: table).count == Mutation.all.count)
        guard let path = ProcessInfo.processInfo.environment["GENESYS_LOOP_MUTATIONS"] else { return }
        try table.write(to: URL(filePath: path))
    }
}
