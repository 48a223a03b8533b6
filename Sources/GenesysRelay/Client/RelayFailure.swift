/// Why a relay ended without everything being stored.
public struct RelayFailure: Error, Hashable, Sendable {
    /// The kinds of ends.
    public enum Reason: String, Hashable, Sendable, CaseIterable {
        /// The engine did not store the first record within `RelayConfiguration.firstConnectionLimit`.
        case unreachable
        /// What was queued was not stored in time after `close()`, or the reader of standard output has left.
        case undelivered
        /// Another relay writes the stream.
        case fenced
        /// Another relay of the same name holds the lease of the stream, and renews it; or another one writes the file.
        case leaseHeld
        /// The file, or standard output, cannot be written.
        case outputFailed
        /// The engine's bytes are not of its protocol.
        case protocolViolation
        /// The engine refuses the user or the password, or its certificate is not trusted.
        case notAuthorized
        /// The engine refuses what a record needs: a right is missing, or a key has another type.
        case refused
    }

    /// The kind of the end.
    public let reason: Reason
    /// What happened, in a sentence.
    public let message: String
    /// How many records are not stored.
    public let undeliveredCount: Int
}

extension RelayFailure: CustomStringConvertible {
    /// What happened, and how many records are not stored.
    public var description: String {
        guard undeliveredCount > 0 else { return message }
        return "\(message) \(undeliveredCount) \(undeliveredCount == 1 ? "record is" : "records are") not delivered."
    }
}
