import Foundation
import Testing

/// The tool and a simulator, with disturbed packets between them, in a network of their own.
///
/// `Conformance/paths.py` disturbs the path, and prints which numbers are missing and when those were sent;
/// `Conformance/proxied.py` counts the packets on a virtual cable.
@Suite(.enabled(if: OwnNetwork.isPossible, OwnNetwork.missing), .timeLimit(.minutes(patience(5)))) struct PathTests {
    private struct Outcome: Decodable {
        var status: Int32
        var errors: String
        var count: Int
        var repeated: Int
        var disordered: Int
        var missing: [[Double]]
        var broken: Double?
        var mended: Double?

        /// The times of a member of events, in seconds since 1970.
        func times(_ event: String, _ member: String = "at") throws -> [Double] {
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            return try Tool.events(errors).filter { $0["event"] as? String == event }.map { event in
                try style.parse(try #require(event[member] as? String)).timeIntervalSince1970
            }
        }

        /// No notification repeats or is out of order, and every missing one was sent within a reported gap.
        func expectHonesty() throws {
            #expect(status == 0, "\(errors)")
            #expect(repeated == 0)
            #expect(disordered == 0)
            let gaps = zip(try times("gap", "from"), try times("gap", "to"))
            for range in missing {
                // The script derives the send time of a number from an even rate, to about a tenth of a second.
                let isTold = gaps.contains { from, to in from - 0.5 <= range[2] && range[3] <= to + 0.5 }
                #expect(isTold, "\(range) is missing, and no gap tells it: \(errors)")
            }
        }
    }

    private func outcome(_ scenario: String, _ count: Int) async throws -> Outcome? {
        try await OwnNetwork.run("paths.py", [scenario, Tool.executable.path, "\(count)"])
    }

    @Test func `nothing is lost where one packet in twenty is`() async throws {
        let count = isWhole ? 100_000 : 10_000
        guard let outcome = try await outcome("loss-5", count) else { return }
        try outcome.expectHonesty()
        #expect(outcome.count == count)
        #expect(outcome.missing.isEmpty, "\(outcome.errors)")
    }

    @Test(.enabled(if: isWhole, "it takes a minute; Scripts/test --all runs it"))
    func `nothing is lost outside a gap where one packet in five is`() async throws {
        guard let outcome = try await outcome("loss-20", 100_000) else { return }
        try outcome.expectHonesty()
        #expect(outcome.count == 100_000)
    }

    @Test(.enabled(if: isWhole, "it takes a minute and a half; Scripts/test --all runs it"))
    func `a path that has become a black hole is noticed in time, and taken again when it is none any more`()
        async throws
    {
        guard let outcome = try await outcome("black-hole", 1_000) else { return }
        try outcome.expectHonesty()
        let broken = try #require(outcome.broken)
        let mended = try #require(outcome.mended)
        // 35 s of silence, 10 s for the answer to the ping, and 5 s for a busy machine.
        let noticed = try #require(try outcome.times("reconnecting").first)
        #expect((34...50).contains(noticed - broken), "\(outcome.errors)")
        // An attempt in progress may still take its 10 s, and the delay between attempts grows.
        let recovered = try #require(try outcome.times("recovered").first)
        #expect((0...20).contains(recovered - mended), "\(outcome.errors)")
        #expect(try outcome.times("gap").count == 1)
        #expect(outcome.missing.count == 1)
        #expect(outcome.count >= 2_000)
    }

    @Test(.enabled(if: isWhole, "it takes a minute and a half; Scripts/test --all runs it"))
    func `a minute without a link is one gap`() async throws {
        guard let outcome = try await outcome("link-down", 1_000) else { return }
        try outcome.expectHonesty()
        #expect(try outcome.times("gap").count == 1, "\(outcome.errors)")
        #expect(outcome.missing.count == 1)
        let recovered = try #require(try outcome.times("recovered").first)
        #expect(recovered - (try #require(outcome.mended)) < 20)
    }

    // MARK: - Proxies

    private struct Packets: Decodable {
        var status: Int32
        var errors: String
        var count: Int
        var proxy: Int
        var around: Int
    }

    @Test(.needs(.tinyproxy)) func `no packet goes around an HTTP proxy, not even for a name`() async throws {
        try await expectNothingAround("tinyproxy")
    }

    @Test(.needs(.dante)) func `no packet goes around a SOCKS5 proxy, not even for a name`() async throws {
        try await expectNothingAround("dante")
    }

    private func expectNothingAround(_ kind: String) async throws {
        guard let packets: Packets = try await OwnNetwork.run("proxied.py", [kind, Tool.executable.path]) else {
            return
        }
        #expect(packets.status == 0, "\(packets.errors)")
        #expect(packets.count == 3)
        #expect(packets.proxy > 0)
        #expect(packets.around == 0)
    }

    @Test func `the packets that look for a name without a proxy are counted`() async throws {
        guard let packets: Packets = try await OwnNetwork.run("proxied.py", ["none", Tool.executable.path]) else {
            return
        }
        #expect(packets.status == 69, "\(packets.errors)")
        #expect(packets.around > 0)
    }
}
