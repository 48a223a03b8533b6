/// Why every try of a sink would fail.
package struct RelaySinkFailure: Error, Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// A file or standard output cannot be written.
        case output
        /// The reader of standard output has left.
        case closed
        /// Another relay writes the file.
        case held
        /// The engine's bytes are none of its protocol.
        case protocolViolation
        /// The engine refuses the user or the password, or a certificate is not trusted.
        case authorization
        /// The engine refuses what a record needs: a right is missing, or a key has another type.
        case configuration
    }

    package var kind: Kind
    /// A sentence for the operator.
    package var reason: String

    package init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }
}
