/// An engine as it describes itself.
public struct RelayEngine: Hashable, Sendable {
    /// The server and its version.
    public let version: String
    /// When a record that was acknowledged is safe, for example `aof everysec`; `unknown` if the engine does not tell.
    public let durability: String
    /// What may be lost with these settings, in sentences.
    public let warnings: [String]
    /// The id of the last record in the stream, `EPOCH.SEQUENCE`; nil if the stream is empty.
    public let lastStored: String?

    /// Creates a description, for tests of a host.
    public init(version: String, durability: String, warnings: [String] = [], lastStored: String? = nil) {
        self.version = version
        self.durability = durability
        self.warnings = warnings
        self.lastStored = lastStored
    }
}
