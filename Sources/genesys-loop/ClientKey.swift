import ArgumentParser
import GenesysLoop
import ToolSupport

/// The client certificate of the command line, and the source of its key's passphrase.
enum ClientKey {
    /// The environment's variable that holds the passphrase.
    static let variable = "GENESYS_LOOP_KEY_PASSPHRASE"

    /// Refuses one option without the other.
    static func check(certificate: String?, key: String?) throws {
        switch (certificate, key) {
        case (nil, nil), (_?, _?): break
        case (_?, nil): throw ValidationError("--client-certificate needs --client-key, the file of its private key.")
        case (nil, _?): throw ValidationError("--client-key needs --client-certificate, the certificate of that key.")
        }
    }

    /// The identity for a server that asks; nil without the two options.
    static func identity(
        certificate: String?, key: String?, _ files: inout OptionFiles
    ) throws -> ClientIdentity? {
        guard let certificate, let key else { return nil }
        return ClientIdentity(
            certificate: .contents(
                try files.read(certificate, "The client certificate"), ofFile: certificate),
            key: .contents(try files.read(key, "The client's private key"), ofFile: key),
            passphrase: PrivateKeyPassphrase(asking: passphrase))
    }

    /// The variable takes precedence, so that a program started by another never waits for a user; nil for "none".
    @Sendable private static func passphrase() -> [UInt8]? {
        if let secret = Environment.secret(of: variable) { return secret }
        guard SystemCalls.isTerminal(SystemCalls.standardInput) else { return nil }
        return SystemCalls.passphrase("Passphrase of the client's private key: ")
    }
}
