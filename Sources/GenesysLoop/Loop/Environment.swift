internal import CUV

/// The environment of the process.
package enum Environment {
    /// The value of a variable; nil where it is not set.
    ///
    /// A host that changes its environment must not do so on another thread meanwhile, as ever with `setenv`.
    package static func value(of name: String) -> String? {
        // Valid until the environment is changed; copied at once.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}
