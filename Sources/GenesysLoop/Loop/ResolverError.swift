internal import CUV

/// A name could not be resolved.
package struct ResolverError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The code of `getaddrinfo`.
    package let code: Int32

    /// The code in words, such as "Name or service not known".
    package let text: String

    /// Whether the name does not exist (as opposed to: could not be looked up now).
    package let isNoSuchName: Bool

    /// Whether it is about the interface that an address is to be reached through; no name was looked up then.
    package let isAboutInterface: Bool

    package init(code: Int32, text: String, isNoSuchName: Bool, isAboutInterface: Bool = false) {
        self.code = code
        self.text = text
        self.isNoSuchName = isNoSuchName
        self.isAboutInterface = isAboutInterface
    }

    /// For an address with a zone that this machine does not have now.
    static func noInterface(_ zone: String) -> ResolverError {
        ResolverError(
            code: UV_ENODEV.rawValue, text: "no network interface is called “\(zone)”", isNoSuchName: false,
            isAboutInterface: true)
    }

    /// For names that are never looked up, because no name can look like that.
    static func noSuchName(_ text: String) -> ResolverError {
        ResolverError(code: cuv_no_such_name_code(), text: text, isNoSuchName: true)
    }

    /// What became of a look-up of which each family failed.
    ///
    /// The name does not exist only if both say so: one of them could be looked up another time.
    static func combined(_ errors: [(family: AddressFamily, error: ResolverError)]) -> ResolverError {
        let errors = errors.sorted { $0.family == .ipv6 && $1.family != .ipv6 }
        guard let first = errors.first?.error else { return noSuchName("the name has no address") }
        guard errors.count > 1 else { return first }
        let isSame = errors.allSatisfy { $0.error.text == first.text }
        return ResolverError(
            code: (errors.first { !$0.error.isNoSuchName }?.error ?? first).code,
            text: isSame ? first.text : errors.map { "\($0.family): \($0.error.text)" }.joined(separator: "; "),
            isNoSuchName: errors.allSatisfy(\.error.isNoSuchName))
    }

    package var description: String { "resolve: \(text)" }
}
