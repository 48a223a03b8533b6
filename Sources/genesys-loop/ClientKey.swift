import ArgumentParser
import GenesysLoop
import ToolSupport

/// The client certificate of the command line, and the source of its key's passphrase.
enum ClientKey {
    /// The environment's variable that holds the passphrase.
    static let variable = "GENESYS_LOOP_KEY_PASSPHRASE"

    /// Refuses one option without the other.
    ///
    /// - Parameter side: the beginning of the names of both options.
    static func check(certificate: String?, key: String?, of side: String = "client") throws {
        switch (certificate, key) {
        case (nil, nil), (_?, _?): break
        case (_?, nil):
            throw ValidationError("--\(side)-certificate needs --\(side)-key, the file of its private key.")
        case (nil, _?):
            throw ValidationError("--\(side)-key needs --\(side)-certificate, the certificate of that key.")
        }
    }

    /// The identity for a server that asks; nil without the two options.
    static func identity(
        certificate: String?, key: String?, _ files: inout OptionFiles
    ) throws -> ClientIdentity? {
        guard let certificate, let key else { return nil }
        let passphrase = files.tls.passphrase
        return ClientIdentity(
            certificate: try files.identity(certificate, "The client certificate"),
            key: try files.identity(key, "The client's private key"),
            passphrase: PrivateKeyPassphrase(asking: { passphrase.answer() }))
    }
}

/// The passphrase of the client's key. The user is asked once, and not after the start.
final class KeyPassphrase: Sendable {
    private struct State: Sendable {
        var answer: [UInt8]?
        var mayAsk = true
    }

    private static let variable = ClientKey.variable
    private let state = Locked(State())

    /// The variable takes precedence, so that a program started by another never waits for a user; nil for "none".
    func answer() -> [UInt8]? {
        if let secret = Environment.secret(of: Self.variable) { return secret }
        return state.withLock { state in
            if state.mayAsk, state.answer == nil, SystemCalls.isTerminal(SystemCalls.standardInput) {
                state.answer = SystemCalls.passphrase("Passphrase of the client's private key: ")
            }
            return state.answer
        }
    }

    /// The start is over: no one is asked again.
    func stopAsking() { state.withLock { $0.mayAsk = false } }
}
