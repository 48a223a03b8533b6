/// Decrypts an encrypted private key: a passphrase, or a closure that returns it.
///
/// The closure runs when the key is read: when the first channel or client with the configuration is made on a loop,
/// and at each `UVLoop.reloadTLS()`. Two values are equal only if they are the same object: use one value for all
/// configurations that share TLS sessions and settings.
public final class PrivateKeyPassphrase: Sendable {
    private let ask: @Sendable () -> [UInt8]?

    /// Asks the host each time the key is read, on the loop's thread; a nil result means "no passphrase".
    ///
    /// - Parameter ask: returns at most 1,023 bytes. It must not call into the loop.
    public init(asking ask: @escaping @Sendable () -> [UInt8]?) {
        self.ask = ask
    }

    /// Uses a fixed passphrase.
    ///
    /// - Parameter passphrase: at most 1,023 bytes of UTF-8.
    public convenience init(_ passphrase: String) {
        let bytes = Array(passphrase.utf8)
        self.init(asking: { bytes })
    }

    func answer() -> [UInt8]? { ask() }
}

extension PrivateKeyPassphrase: Hashable {
    /// Whether both are the same object.
    public static func == (left: PrivateKeyPassphrase, right: PrivateKeyPassphrase) -> Bool { left === right }

    /// Hashes the identity.
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
