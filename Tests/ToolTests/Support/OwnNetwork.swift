import Foundation
import Testing

/// Scripts of `Conformance` that make a network namespace and run the tool in it.
enum OwnNetwork {
    /// Runs a script as root of a new network namespace; returns its report, or nil if that is impossible, which is
    /// printed.
    static func run<Report: Decodable>(_ script: String, _ arguments: [String]) async throws -> Report? {
        let command = ["-rnm", Peer.python ?? "python3", Peer.folder.appending(path: script).path] + arguments
        let end = try await Slots.taken { await (try Child(URL(filePath: "/usr/bin/unshare"), command)).end() }
        guard end.status == 0 else {
            print("SKIPPED: no network of its own for \(script) \(arguments[0]): \(end.errors)")
            // 75: the script could not make it; 1: unshare is not permitted and reports it.
            let isRefused = end.status == 75 || (end.status == 1 && end.errors.hasPrefix("unshare:"))
            #expect(isRefused, "\(script) ended with \(end.status): \(end.errors)")
            return nil
        }
        return try JSONDecoder().decode(Report.self, from: Data(end.output))
    }

    /// Whether the program that makes networks exists; `run` detects other reasons.
    static let isPossible = FileManager.default.isExecutableFile(atPath: "/usr/bin/unshare")
    static let missing: Comment = "SKIPPED: it needs unshare, and so Linux"
}
