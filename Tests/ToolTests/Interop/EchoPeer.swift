import Foundation
import Testing

/// A third-party WebSocket server, started by a program of `Conformance/`.
struct EchoPeer {
    /// The servers.
    enum Library: String, CaseIterable {
        case nodeWS = "node-ws"
        case websockets
        case aiohttp
        /// Terminates TLS in front of `websockets`.
        case nginx

        fileprivate var script: String {
            switch self {
            case .nodeWS: "peer_echo.cjs"
            case .websockets: "peer_echo.py"
            case .aiohttp: "peer_echo_aiohttp.py"
            case .nginx: "peer_nginx.py"
            }
        }

        fileprivate func command(_ arguments: [String]) -> (program: URL, arguments: [String]) {
            let file = Peer.folder.appending(path: script).path
            let env = URL(filePath: "/usr/bin/env")
            return switch self {
            case .nodeWS: (env, ["node", file] + arguments)
            case .websockets, .aiohttp, .nginx: (env, [Peer.python ?? "python3", file] + arguments)
            }
        }

        /// The trait of every test that needs it.
        ///
        /// If it is absent, the output also has a line that begins with `SKIPPED`.
        static func needs(_ library: Library) -> ConditionTrait {
            let absence = absences[library]
            return .enabled(if: absence == nil, absence)
        }

        private static let absences: [Library: Comment] = {
            var absences: [Library: Comment] = [:]
            for library in allCases where !library.isInstalled {
                let isOurs = library == .websockets || library == .aiohttp || Peer.python == nil
                let reason: Comment =
                    isOurs
                    ? Peer.missing : "\(library.rawValue) is not installed; Scripts/setup --peers does it with apt-get"
                absences[library] = reason
                print("SKIPPED: the tests with \(library.rawValue) did not run: \(reason)")
            }
            return absences
        }()

        private var isInstalled: Bool {
            guard Peer.python != nil else { return false }
            guard self == .nodeWS || self == .nginx else { return true }
            let check = Process()
            (check.executableURL, check.arguments) = command(["--check"])
            check.standardInput = FileHandle.nullDevice
            check.standardError = FileHandle.nullDevice
            return check.succeeds()
        }
    }

    /// Its first line.
    private struct Announcement: Decodable {
        var uri: String
        var caFile: String?
    }

    /// The report on a connection that ended: the Close frame that the server received.
    struct Report: Decodable, Equatable {
        var code: UInt16?
        var reason: String?
        var extensions: String
    }

    let child: Child
    let uri: String
    let caFile: String?

    init(_ library: Library, _ arguments: [String] = []) async throws {
        let command = library.command(arguments)
        child = try Child(command.program, command.arguments)
        let line = try #require(await child.output?.nextLine(), "the peer did not start")
        let announcement = try JSONDecoder().decode(Announcement.self, from: Data(line.utf8))
        uri = announcement.uri
        caFile = announcement.caFile
    }

    func report() async throws -> Report {
        let line = try #require(await child.output?.nextLine(), "the peer did not report")
        return try JSONDecoder().decode(Report.self, from: Data(line.utf8))
    }

    /// Ends the server, which must not report an error.
    func end() async throws {
        try child.closeInput()
        let end = await child.end()
        #expect(end.status == 0, "\(end.errors)")
        #expect(end.errors.isEmpty, "\(end.errors)")
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test if the peer is absent.
    static func needs(_ library: EchoPeer.Library) -> ConditionTrait { EchoPeer.Library.needs(library) }
}
