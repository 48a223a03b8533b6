internal import GenesysLoop

/// The engine that a relay writes to, or a file. No printed form holds a password.
public struct RelayTarget: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case standardOutput
        case file(String)
        case redis(RedisTarget)
    }

    let kind: Kind

    /// Lines of JSON on standard output.
    public static let standardOutput = RelayTarget(kind: .standardOutput)

    /// Lines of JSON, appended to a file.
    public static func file(_ path: String) -> RelayTarget { RelayTarget(kind: .file(path)) }

    private init(kind: Kind) { self.kind = kind }

    /// Reads a target as the tool takes it: `redis://[user@]host[:6379][/db]`, `rediss://…` for TLS,
    /// `redis+unix:///path/to/socket[?db=N]`, `file:PATH`, or `-` for standard output.
    ///
    /// The target of an engine may hold a password behind the user; `RelayConfiguration.password` takes precedence.
    ///
    /// - Throws: `RelayError` with a sentence that never shows a password.
    public init(_ text: String) throws(RelayError) {
        guard text != "-" else {
            kind = .standardOutput
            return
        }
        guard let colon = text.firstIndex(of: ":") else { throw RelayError(RedisTarget.forms) }
        switch text[..<colon] {
        case "file":
            let path = text[text.index(after: colon)...]
            guard !path.isEmpty, !path.utf8.contains(0) else {
                throw RelayError("The target file: names no file; it takes file:PATH.")
            }
            kind = .file(String(path))
        default:
            do throws(InvalidURI) {
                kind = .redis(try RedisTarget(text))
            } catch {
                throw RelayError(error.description)
            }
        }
    }

    /// Whether it is a file that `Relay.reopenFiles()` opens again.
    package var isFile: Bool { if case .file = kind { true } else { false } }

    /// Whether its text holds a password, which others may be able to read.
    package var hasPassword: Bool { if case .redis(let target) = kind { target.hasPassword } else { false } }

    /// Whether it is reached over TLS.
    package var isSecure: Bool { if case .redis(let target) = kind { target.isSecure } else { false } }

    /// Whether it is an engine, with a password, a stream and a lease.
    package var isEngine: Bool { if case .redis = kind { true } else { false } }
}

extension RelayTarget {
    func sink(name: String, _ configuration: RelayConfiguration, on loop: UVLoop) throws(RelayError) -> any RelaySink {
        switch kind {
        case .standardOutput: return try RelayTarget.fileSink(nil, configuration, on: loop)
        case .file(let path): return try RelayTarget.fileSink(path, configuration, on: loop)
        case .redis(let target):
            var settings = RedisSink.Configuration(target: target, name: name)
            settings.key = configuration.stream
            settings.password = configuration.secret
            settings.tls = configuration.tls
            settings.maxLength = configuration.maxLength
            do throws(RelaySinkFailure) {
                return try RedisSink(settings, on: loop)
            } catch {
                throw RelayError(error.reason)
            }
        }
    }

    private static func fileSink(
        _ path: String?, _ configuration: RelayConfiguration, on loop: UVLoop
    ) throws(RelayError) -> any RelaySink {
        do throws(UVLoopError) {
            return try FileSink(path: path, isSynchronized: configuration.isSynchronized, on: loop)
        } catch {
            throw RelayError("The relay cannot start: \(error)")
        }
    }
}

extension RelayTarget: CustomStringConvertible, CustomReflectable {
    /// The target without its password.
    public var description: String {
        switch kind {
        case .standardOutput: "standard output"
        case .file(let path): "file:\(path)"
        case .redis(let target): "\(target)"
        }
    }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
