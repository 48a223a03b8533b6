internal import CUV

/// A name could not be resolved.
package struct ResolverError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The code of `getaddrinfo`.
    package let code: Int32

    /// The code in words, such as "Name or service not known".
    package let text: String

    /// Whether the name does not exist (as opposed to: could not be looked up now).
    package let isNoSuchName: Bool

    package init(code: Int32, text: String, isNoSuchName: Bool) {
        self.code = code
        self.text = text
        self.isNoSuchName = isNoSuchName
    }

    /// For names that are never looked up, because no name can look like that.
    static func noSuchName(_ text: String) -> ResolverError {
        ResolverError(code: cuv_no_such_name_code(), text: text, isNoSuchName: true)
    }

    package var description: String { "resolve: \(text)" }
}
