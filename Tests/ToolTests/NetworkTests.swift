import Foundation
import Testing

/// The tool in unusual networks, each in a namespace of its own.
@Suite(.timeLimit(.minutes(patience(2)))) struct NetworkTests {
    private struct Outcome: Decodable {
        var status: Int32
        var errors: String
        var host: String?
        var connected: Int?
    }

    /// Runs `listen` in the network of a scenario; nil if that is impossible, which is printed.
    private func listen(_ scenario: String, _ uri: String, preload: HostProgram? = nil) async throws -> Outcome? {
        var client = ["env"] + (preload?.variables.map { "\($0)=\($1)" } ?? [])
        client += [Tool.executable.path, "listen", "--uri", uri, "--ca-file", "{ca}", "--topic", "v2.a"]
        client += ["--reconnect", "never", "--events", "--no-proxy"]
        return try await OwnNetwork.run("networks.py", [scenario] + client)
    }

    @Test func `a server on a link is reached through its interface, which it never hears of`() async throws {
        guard let outcome = try await listen("link-local", "wss://[fe80::5%25link0]:{port}/") else { return }
        // The certificate is for the address without a zone.
        #expect(try Tool.events(outcome.errors).last?["reason"] as? String == "httpNotFound", "\(outcome.errors)")
        #expect(outcome.status == 66)
        let host = try #require(outcome.host)
        #expect(host.hasPrefix("[fe80::5]:"), "\(host)")
    }

    @Test(arguments: [
        ("wss://[fe80::5%25link7]:{port}/", "no network interface is called “link7”"),
        ("wss://[fe80::5]:{port}/", "(an address of one link needs a zone, such as %25eth0)"),
        ("wss://[fe80::5%25lo]:{port}/", "[fe80::5%lo]:"),
    ])
    func `without the right interface there is no connection`(uri: String, sentence: String) async throws {
        guard let outcome = try await listen("link-local", uri) else { return }
        let last = try #require(try Tool.events(outcome.errors).last)
        #expect(last["reason"] as? String == "connect", "\(outcome.errors)")
        #expect(last["phase"] as? String == "connect")
        #expect((last["message"] as? String)?.contains(sentence) == true, "\(outcome.errors)")
        #expect(outcome.status == 69)
        #expect(outcome.connected == nil)
    }

    @Test(arguments: ["host.dual.test", "localhost"])
    func `where there is only loopback the names of this machine are found`(name: String) async throws {
        guard let outcome = try await listen("loopback", "wss://\(name):{port}/") else { return }
        let reason = name == "localhost" ? "tlsHostMismatch" : "httpNotFound"
        #expect(try Tool.events(outcome.errors).last?["reason"] as? String == reason, "\(outcome.errors)")
    }

    @Test(.enabled(if: HostProgram.canPreload, HostProgram.missing))
    func `where IPv6 is a black hole, IPv4 is tried after a moment`() async throws {
        let stub = try await HostProgram(nil, preloading: "Conformance/resolver.c")
        // Measured from the program's start, whose part a connection to the server's address tells. A busy machine only
        // adds to both, so the best of some tries count.
        var quickest = Int.max
        var start = Int.max
        for _ in 0..<10 where start == Int.max || quickest - start >= 350 {
            guard let direct = try await listen("black-hole", "wss://127.0.0.1:{port}/", preload: stub),
                let outcome = try await listen("black-hole", "wss://host.dual.test:{port}/", preload: stub)
            else { return }
            start = min(start, try #require(direct.connected))
            #expect(try Tool.events(outcome.errors).last?["reason"] as? String == "httpNotFound", "\(outcome.errors)")
            let connected = try #require(outcome.connected)
            #expect(connected >= 250)
            quickest = min(quickest, connected)
        }
        #expect(quickest - start < 350)
    }
}
