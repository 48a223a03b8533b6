internal import CUV

/// The environment of the process.
///
/// A host must not change its environment on another thread at the same time, as with `setenv`.
package enum Environment {
    /// The value of a variable without white space at its ends, or nil if the variable is unset or blank.
    ///
    /// Values from a YAML file, a file of variables or a secret often end with a line break.
    package static func value(of name: String) -> String? { value(text(of: name)) }

    /// The value of a variable that holds a secret, or nil if the variable is unset or empty.
    ///
    /// Blanks belong to a secret; only line breaks at its end are removed.
    package static func secret(of name: String) -> [UInt8]? { secret(bytes(of: name)) }

    /// The value of a variable that holds a secret, as `secret(of:)` returns it, and removes it from the environment.
    ///
    /// The memory of the value is overwritten, so that `ps` and /proc no longer show it. Only for a program's start,
    /// while no other thread reads the environment.
    package static func takeSecret(of name: String) -> [UInt8]? {
        let secret = secret(of: name)
        // The name and the value are C strings; nothing is written beyond the value's end.
        if let value = unsafe getenv(name) { unsafe memset(value, 0, strlen(value)) }
        unsafe unsetenv(name)
        return secret
    }

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

    /// The unchanged bytes: a passphrase need not be UTF-8.
    private static func bytes(of name: String) -> [UInt8]? {
        // Valid until the environment is changed; copied at once.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: value, count: strlen(value)))
    }
}
