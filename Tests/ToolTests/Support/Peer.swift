import Foundation
import Testing

/// One of the servers of `Conformance/`, which are written in Python.
struct Peer {
    /// The Python with their packages; Scripts/test installs it.
    static let python = ProcessInfo.processInfo.environment["GENESYS_LOOP_PYTHON"]
    static let missing: Comment = "GENESYS_LOOP_PYTHON names no Python; Scripts/test makes one with the packages needed"

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Conformance")

    /// Its first line.
    struct Announcement: Decodable {
        var uri: String
        var caFile: String
        var topics: [String]?
        var count: Int?
        var expected: String?
    }

    /// Its last line.
    struct Report: Decodable {
        struct Connection: Decodable {
            var stage: String
            var close: Int?
        }

        var problems: [String]
        var connections: [Connection]?
    }

    let announcement: Announcement
    let child: Child

    init(_ script: String, _ arguments: [String]) async throws {
        let python = try #require(Peer.python)
        let file = Peer.folder.appending(path: script)
        child = try Child(URL(filePath: python), [file.path] + arguments)
        let line = try #require(await child.output?.nextLine(), "the peer did not start")
        announcement = try JSONDecoder().decode(Announcement.self, from: Data(line.utf8))
    }

    /// The arguments of `listen` for it.
    func listening(_ more: String...) -> [String] {
        let topics = announcement.topics ?? ["v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.presence"]
        return ["listen", "--uri", announcement.uri, "--ca-file", announcement.caFile]
            + topics.flatMap { ["--topic", $0] } + more
    }

    /// Its report, after it ended by itself or its input ended.
    func report() async throws -> Report {
        let line = try #require(await child.output?.nextLine(), "the peer did not report")
        return try JSONDecoder().decode(Report.self, from: Data(line.utf8))
    }
}
