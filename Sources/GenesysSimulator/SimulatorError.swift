/// Why a simulator could not be set up.
public struct SimulatorError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What could not be done.
    public enum Kind: Hashable, Sendable {
        /// Another program, or another simulator, listens on the address.
        case addressInUse
        /// The address cannot be listened on for another reason.
        case cannotListen
        /// Certificate files cannot be read, written or used.
        case certificates
    }

    /// What could not be done.
    public let kind: Kind
    /// One sentence that says what happened, and where.
    public let description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
