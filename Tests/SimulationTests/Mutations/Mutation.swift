import Foundation

/// A deliberate fault that `Scripts/mutate` puts into a copy of the sources. The simulation or the tests of the machine
/// must detect it.
struct Mutation: Codable, Sendable {
    /// A text that appears exactly once in a file, and its replacement.
    struct Edit: Codable, Sendable {
        let file: String
        let before: String
        let after: String

        init(_ file: String, _ before: String, _ after: String) {
            self.init(folder: "GenesysLoop/ChannelMachine", file, before, after)
        }

        init(platform file: String, _ before: String, _ after: String) {
            self.init(folder: "GenesysPlatform/Machine", file, before, after)
        }

        init(relay file: String, _ before: String, _ after: String) {
            self.init(folder: "GenesysRelay/Machine", file, before, after)
        }

        private init(folder: String, _ file: String, _ before: String, _ after: String) {
            self.file = "Sources/\(folder)/\(file).swift"
            self.before = before
            self.after = after
        }
    }

    let name: String
    /// What a user of the library would suffer.
    let harm: String
    let edits: [Edit]

    init(_ name: String, harm: String, _ edits: Edit...) {
        self.name = name
        self.harm = harm
        self.edits = edits
    }
}
