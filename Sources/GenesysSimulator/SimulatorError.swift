/// Why a simulator could not be set up.
public struct SimulatorError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The step that failed.
    public enum Kind: Hashable, Sendable {
        /// Another program, or another simulator, listens on the address.
        case addressInUse
        /// The server cannot listen on the address for another reason.
        case cannotListen
        /// Certificate files cannot be read, written or used.
        case certificates
    }

    /// The step that failed.
    public let kind: Kind
    /// One sentence that says what happened and where.
    public let description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
