internal import CUV

/// The environment of the process.
///
/// A host that changes its environment must not do so on another thread meanwhile, as with `setenv`.
package enum Environment {
    /// The value of a variable, without white space at its ends: what comes from a YAML file, a file of variables or a
    /// secret often ends with a line break. Nil where nothing else is in it, or it is not set.
    package static func value(of name: String) -> String? { value(text(of: name)) }

    /// The value of a variable that holds a secret, in which blanks count, without the line ends behind it. Nil where
    /// nothing else is in it, or it is not set.
    package static func secret(of name: String) -> [UInt8]? { secret(bytes(of: name)) }

    static func value(_ text: String?) -> String? {
        guard let value = text.map(WhiteSpace.trimmed), !value.isEmpty else { return nil }
        return value
    }

    static func secret(_ bytes: [UInt8]?) -> [UInt8]? {
        guard var bytes else { return nil }
        while bytes.last == 0x0A || bytes.last == 0x0D { bytes.removeLast() }
        return bytes.isEmpty ? nil : bytes
    }

    private static func text(of name: String) -> String? {
        bytes(of: name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// As they are: a passphrase need not be UTF-8.
    private static func bytes(of name: String) -> [UInt8]? {
        // Valid until the environment is changed; copied at once.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: value, count: strlen(value)))
    }
}
