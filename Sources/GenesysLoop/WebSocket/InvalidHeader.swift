/// Why a header of our own cannot be sent.
///
/// The sentence never repeats its value, which may be a secret.
package struct InvalidHeader: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
