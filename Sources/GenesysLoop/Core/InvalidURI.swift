/// Why a string is not the URI of a WebSocket, or of a proxy.
///
/// The sentence never repeats the string: the URI of a channel is a secret, that of a proxy may hold a password.
public struct InvalidURI: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence that says what is wrong.
    public let description: String

    package init(_ description: String) {
        self.description = description
    }
}
