import ArgumentParser
import Foundation
import GenesysLoop
import Testing

@testable import genesys_loop

/// The unit of systemd in `Packaging/`.
@Suite struct UnitTests {
    private static let root = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL
    private static let analyzer = "/usr/bin/systemd-analyze"

    private func unit() throws -> String {
        try String(contentsOf: Self.root.appending(path: "Packaging/genesys-loop.service"), encoding: .utf8)
    }

    /// The values of a key, in order.
    private func values(of key: String) throws -> [String] {
        try unit().split(separator: "\n").filter { $0.hasPrefix("\(key)=") }.map { String($0.dropFirst(key.count + 1)) }
    }

    @Test(
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: analyzer),
            "SKIPPED: systemd-analyze verify needs systemd, which the package systemd installs"))
    func `systemd accepts the unit, as a service and as a template`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "unit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // The program must exist.
        let text = try unit().replacingOccurrences(of: "/usr/bin/genesys-loop", with: Tool.executable.path)
        for (file, name) in [
            ("genesys-loop.service", "genesys-loop.service"), ("genesys-loop@.service", "genesys-loop@sales.service"),
        ] {
            try text.write(to: folder.appending(path: file), atomically: true, encoding: .utf8)
            let end = try await Slots.taken {
                await
                    (try Child(
                        URL(filePath: Self.analyzer), ["verify", folder.appending(path: name).path], mayLeak: true))
                    .end()
            }
            #expect(end.status == 0)
            #expect(end.errors == "")
        }
    }

    @Test func `the tool is started again unless the same command would end in the same way`() throws {
        let final: [GenesysLoop.ExitStatus] = [.usage, .channelGone, .notPermitted, .refused]
        #expect(try values(of: "Restart") == ["on-failure"])
        #expect(
            try values(of: "RestartPreventExitStatus") == [final.map { "\($0.rawValue)" }.joined(separator: " ")])
    }

    @Test func `the tool takes the command of the unit, in which there is no secret`() throws {
        let command = try #require(try values(of: "ExecStart").first).split(separator: " ").dropFirst(2)
        let options = try ListenOptions.parse(command.map(String.init))
        #expect(options.source.uriFile == "%d/uri")
        #expect(options.source.uri == nil)
        #expect(options.output == "%L/genesys-loop/%N.jsonl")
        #expect(try values(of: "ExecReload") == ["/bin/kill -HUP $MAINPID"])
        #expect(try values(of: "Type") == ["notify"])
    }
}
