internal import GenesysLoop

/// The engine that a relay writes to, or a file.
public struct RelayTarget: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case standardOutput
        case file(String)
    }

    let kind: Kind

    /// Lines of JSON on standard output.
    public static let standardOutput = RelayTarget(kind: .standardOutput)

    /// Lines of JSON, appended to a file.
    public static func file(_ path: String) -> RelayTarget { RelayTarget(kind: .file(path)) }

    private init(kind: Kind) { self.kind = kind }

    /// Reads a target as the tool takes it: `file:PATH`, or `-` for standard output.
    ///
    /// - Throws: `RelayError` with a sentence that never shows a password.
    public init(_ text: String) throws(RelayError) {
        guard text != "-" else {
            kind = .standardOutput
            return
        }
        guard let colon = text.firstIndex(of: ":") else { throw RelayTarget.unknown }
        switch text[..<colon] {
        case "file":
            let path = text[text.index(after: colon)...]
            guard !path.isEmpty, !path.utf8.contains(0) else {
                throw RelayError("The target file: names no file; it takes file:PATH.")
            }
            kind = .file(String(path))
        default:
            throw RelayTarget.unknown
        }
    }

    private static let unknown = RelayError(
        "The target is none that is known: it is file:PATH, or - for standard output.")

    /// Whether it is a file that `Relay.reopen()` opens again.
    package var isFile: Bool { if case .file = kind { true } else { false } }

    /// Whether it is standard output.
    package var isStandardOutput: Bool { kind == .standardOutput }
}

extension RelayTarget {
    func sink(name: String, _ configuration: RelayConfiguration, on loop: UVLoop) throws(RelayError) -> any RelaySink {
        do throws(UVLoopError) {
            switch kind {
            case .standardOutput: return try FileSink(path: nil, on: loop)
            case .file(let path):
                return try FileSink(path: path, isSynchronized: configuration.isSynchronized, on: loop)
            }
        } catch {
            throw RelayError("The relay cannot start: \(error)")
        }
    }
}

/// Never shows a password.
extension RelayTarget: CustomStringConvertible, CustomReflectable {
    /// The target without its password.
    public var description: String {
        switch kind {
        case .standardOutput: "standard output"
        case .file(let path): "file:\(path)"
        }
    }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
