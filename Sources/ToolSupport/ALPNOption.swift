internal import ArgumentParser

/// The value of `--alpn`: the name of one application protocol (RFC 7301), or `none`.
package struct ALPNOption: ExpressibleByArgument {
    /// The protocols to offer; empty for `none`.
    package let protocols: [String]

    /// Accepts a name of 1 to 255 bytes; nil for any other.
    package init?(argument: String) {
        guard (1...255).contains(argument.utf8.count) else { return nil }
        protocols = argument == "none" ? [] : [argument]
    }
}
