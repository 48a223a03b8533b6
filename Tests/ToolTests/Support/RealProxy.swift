import Foundation
import Testing

/// A third-party proxy, started by `Conformance/peer_proxy.py`.
struct RealProxy {
    enum Kind: String, CaseIterable {
        case tinyproxy, squid, dante

        var scheme: String { self == .dante ? "socks5" : "http" }

        private static let absences: [Kind: Comment] = {
            var absences: [Kind: Comment] = [:]
            for kind in allCases where !kind.isInstalled {
                let reason: Comment =
                    Peer.python == nil
                    ? Peer.missing : "\(kind.rawValue) is not installed; Scripts/setup --peers does it with apt-get"
                absences[kind] = reason
                print("SKIPPED: the tests with \(kind.rawValue) did not run: \(reason)")
            }
            return absences
        }()

        /// The trait of every test that needs it.
        ///
        /// If it is absent, the output also has a line that begins with `SKIPPED`.
        static func needs(_ kind: Kind) -> ConditionTrait {
            let absence = absences[kind]
            return .enabled(if: absence == nil, absence)
        }

        private var isInstalled: Bool {
            guard let python = Peer.python else { return false }
            let check = Process()
            check.executableURL = URL(filePath: python)
            check.arguments = [Peer.folder.appending(path: "peer_proxy.py").path, rawValue, "--check"]
            check.standardInput = FileHandle.nullDevice
            check.standardError = FileHandle.nullDevice
            return check.succeeds()
        }
    }

    private struct Announcement: Decodable { var port: UInt16 }
    private struct Report: Decodable { var log: String }

    let child: Child
    let port: UInt16

    init(_ kind: Kind, _ arguments: [String] = []) async throws {
        let python = try #require(Peer.python)
        child = try Child(
            URL(filePath: python), [Peer.folder.appending(path: "peer_proxy.py").path, kind.rawValue] + arguments)
        let line = try #require(await child.output?.nextLine(), "the proxy did not start")
        port = try JSONDecoder().decode(Announcement.self, from: Data(line.utf8)).port
    }

    /// Ends it; returns its log.
    func end() async throws -> String {
        // A line, because other children may hold the pipe open.
        try child.send(line: "end")
        let line = try #require(await child.output?.nextLine(), "the proxy did not end in order")
        let end = await child.end()
        #expect(end.status == 0, "\(end.errors)")
        return try JSONDecoder().decode(Report.self, from: Data(line.utf8)).log
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test if the proxy is absent.
    static func needs(_ kind: RealProxy.Kind) -> ConditionTrait { RealProxy.Kind.needs(kind) }
}
