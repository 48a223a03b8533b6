/// Why a relay cannot be made.
public struct RelayError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, and what to do, in a sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}
