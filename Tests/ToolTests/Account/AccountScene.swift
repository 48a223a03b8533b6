import Foundation
import Testing

/// A simulator that requires tokens, and a folder for the files of options.
struct AccountScene {
    let simulator: Simulator
    let folder: URL

    /// Lends one to a test.
    ///
    /// - Parameter steps: those of the simulator's script, as JSON objects with commas between them.
    static func with(
        _ steps: String = "", _ options: [String] = [], _ body: (AccountScene) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "account-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let script = folder.appending(path: "script.json")
        try Data(#"{"steps":[\#(steps)]}"#.utf8).write(to: script)
        try await Slots.taken {
            let simulator = try await Simulator(["--require-token", "--script", script.path] + options)
            let scene = AccountScene(simulator: simulator, folder: folder)
            do {
                try await body(scene)
            } catch {
                simulator.child.signal(SIGTERM)
                _ = await simulator.child.end()
                throw error
            }
            simulator.child.signal(SIGTERM)
            #expect(await simulator.child.end().status == 0)
        }
    }

    var announcement: Simulator.Announcement { simulator.announcement }

    /// Region, bases and trust.
    var place: [String] {
        [
            "--region", announcement.region ?? "", "--login-base", announcement.loginBase ?? "", "--api-base",
            announcement.apiBase ?? "", "--ca-file", announcement.caFile,
        ]
    }

    /// The options of the OAuth client.
    func client() throws -> [String] {
        ["--client-id", announcement.clientId ?? "", "--client-secret-file", try file(announcement.clientSecret ?? "")]
            + place
    }

    /// The environment of the OAuth client.
    var variables: [String: String] {
        [
            "GENESYSCLOUD_REGION": announcement.region ?? "",
            "GENESYSCLOUD_OAUTHCLIENT_ID": announcement.clientId ?? "",
            "GENESYSCLOUD_OAUTHCLIENT_SECRET": announcement.clientSecret ?? "",
        ]
    }

    /// Writes a file that its owner alone can read.
    @discardableResult func file(_ contents: String, _ name: String = "secret") throws -> String {
        let path = folder.appending(path: name).path
        try #require(
            FileManager.default.createFile(
                atPath: path, contents: Data("\(contents)\n".utf8), attributes: [.posixPermissions: 0o600]))
        return path
    }

    /// A token of the client, which the tool gets and keeps.
    func token() async throws -> String {
        let cache = folder.appending(path: "cache-\(UUID().uuidString)").path
        let child = try Child.tool(
            ["listen", "--topic", "v2.a", "--count", "1", "--token-cache", cache] + client())
        #expect(await child.end().status == 0)
        let kept = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: cache)))
        return try #require((kept as? [String: Any])?["accessToken"] as? String)
    }

    func listen(
        _ source: [String], _ more: [String] = [], topics: [String] = ["v2.users.A.presence"],
        variables: [String: String] = [:]
    ) throws -> Child {
        try Child.tool(
            ["listen", "--events"] + topics.flatMap { ["--topic", $0] } + source + more, variables: variables)
    }
}

extension Child.End {
    /// The events, by their names in order.
    func events() throws -> [(name: String, event: [String: Any])] {
        try Tool.events(errors).map { ($0["event"] as? String ?? "", $0) }
    }
}
