internal import ArgumentParser
package import GenesysLoop

extension ExitStatus {
    /// Ends the command with this status.
    package func end() throws {
        guard self != .success else { return }
        throw ExitCode(rawValue)
    }
}
