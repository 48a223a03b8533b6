import ArgumentParser
import GenesysLoop
import ToolSupport

/// The options that name the channel, for every command that connects to one.
struct SourceOptions: ParsableArguments {
    /// The environment's variable that holds the channel's URI.
    static let variable = "GENESYS_LOOP_URI"

    @Option(
        help: ArgumentHelp(
            """
            A file with the channel's connectUri on one line, - for standard input. Without it, the URI is taken from \
            the environment's \(variable).
            """, valueName: "file"))
    var uriFile: String?

    @Option(
        help: ArgumentHelp(
            """
            The channel's connectUri itself: wss://… It is a secret, and every user of the machine can read an \
            argument: prefer the file or the environment.
            """, valueName: "uri"))
    var uri: String?

    func validate() throws {
        guard uri == nil || uriFile == nil else {
            throw ValidationError("Give the channel's URI once: --uri-file or --uri, and not both.")
        }
        guard uri != nil || uriFile != nil || Environment.value(of: Self.variable) != nil else { throw Self.missing }
    }

    /// The channel's URI. An argument takes precedence over the environment, which no longer has the variable then.
    func channel(_ files: OptionFiles) throws -> ChannelURI {
        let variable = Result { try Secret.taken(from: Self.variable) }
        if let uri { return try ChannelURI(uri, of: nil) }
        if let uriFile { return try ChannelURI(files.secret(uriFile, "The URI file", of: "--uri-file")) }
        if let secret = try variable.get() { return try ChannelURI(secret) }
        throw Self.missing
    }

    private static let missing = ValidationError(
        """
        No channel: give the file of its connectUri with --uri-file, or set \(variable). --uri takes it too, but every \
        user of the machine can read an argument.
        """)
}

/// The URI of a channel: a secret. No printed form contains it.
struct ChannelURI {
    let text: String
    let endpoint: WebSocketURI

    /// - Parameter source: the beginning of a sentence; nil for an argument.
    fileprivate init(_ text: String, of source: String?) throws {
        self.text = text
        do throws(InvalidURI) {
            endpoint = try WebSocketURI(text)
        } catch {
            throw ValidationError("\(source.map { "\($0): " } ?? "")\(error.description)")
        }
    }

    fileprivate init(_ secret: Secret) throws {
        guard let text = String(validating: secret.bytes, as: UTF8.self) else {
            throw ValidationError("\(secret.source) is not UTF-8; it takes the channel's URI.")
        }
        try self.init(text, of: secret.source)
    }
}

extension ChannelURI: CustomStringConvertible, CustomReflectable {
    var description: String { endpoint.redacted }
    var customMirror: Mirror { Mirror(self, children: []) }
}
