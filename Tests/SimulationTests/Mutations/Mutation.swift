import Foundation

/// A deliberate fault, put into a copy of the sources by `Scripts/mutate`: the simulation or the tests of the machine
/// must notice it.
struct Mutation: Codable, Sendable {
    /// A text that stands in a file exactly once, and what takes its place.
    struct Edit: Codable, Sendable {
        let file: String
        let before: String
        let after: String

        init(_ file: String, _ before: String, _ after: String) {
            self.file = "Sources/GenesysLoop/ChannelMachine/\(file).swift"
            self.before = before
            self.after = after
        }
    }

    let name: String
    /// What somebody who uses the library would suffer.
    let harm: String
    let edits: [Edit]

    init(_ name: String, harm: String, _ edits: Edit...) {
        self.name = name
        self.harm = harm
        self.edits = edits
    }
}
