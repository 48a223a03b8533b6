import Foundation
import Testing

/// `listen` and `doctor` against a misbehaving service: each behavior has its exit status.
@Suite(.enabled(if: Peer.python != nil, Peer.missing)) struct HostileTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var mode: String
        var status: Int32
        var reason: String?
        var arguments: [String] = []
        var server: [String] = []

        /// The status of `doctor`, which ends with the confirmation: what comes after it changes nothing.
        var doctorStatus: Int32 {
            let isConfirmed = HostileTests.afterConfirmation.contains(mode) || server.contains("--confirmed")
            return isConfirmed ? 0 : status
        }

        var testDescription: String { "\(mode) \(server.joined(separator: " "))" }
    }

    private static func all(_ modes: [String], _ status: Int32, _ reason: String?) -> [Case] {
        modes.map { Case(mode: $0, status: status, reason: reason) }
    }

    private static let violations = [
        "masked-frame", "reserved-bits", "reserved-opcode", "long-form", "negative-length", "fragmented-ping",
        "long-ping", "orphan-continuation", "nested-message", "invalid-utf8", "invalid-close-code", "short-close",
        "invalid-close-reason",
    ]

    private static let afterConfirmation = [
        "close-after-confirmation", "reset-after-confirmation", "eof-mid-message", "tls-truncated",
        "tls-truncated-after-close", "system",
    ]

    /// Misbehavior that ends the first attempt.
    static let final: [Case] =
        all(["plain-http", "tls-garbage"], 76, "protocolViolation")
        + all(
            [
                "wrong-accept", "missing-accept", "missing-upgrade", "missing-connection", "two-accepts",
                "unrequested-extension", "unrequested-protocol", "http-1-0", "no-http", "endless-head",
            ], 76, "invalidHandshake") + all(violations, 76, "protocolViolation")
        + all(["oversized", "oversized-fragments"], 76, "messageTooLarge")
        + all(["subscription-refused"], 78, "subscriptionRefused")
        + [(401, 77, "httpUnauthorized"), (403, 77, "httpForbidden"), (404, 66, "httpNotFound")].flatMap {
            [
                Case(mode: "status", status: $1, reason: $2, server: ["--status", "\($0)"]),
                Case(mode: "in-band", status: $1, reason: $2, server: ["--status", "\($0)"]),
            ]
        } + [Case(mode: "status", status: 69, reason: "invalidStatusCode", server: ["--status", "302"])]
        + [Case(mode: "system", status: 77, reason: "tokenRevoked")]

    /// Losses, final only because the policy does not reconnect.
    static let losses: [Case] =
        all(
            [
                "tcp-reset", "tcp-close", "eof-at-upgrade", "close", "eof", "reset", "close-after-confirmation",
                "reset-after-confirmation", "eof-mid-message", "tls-truncated", "tls-truncated-after-close",
            ], 69, "connectionClosed")
        + [
            Case(mode: "status", status: 69, reason: "invalidStatusCode", server: ["--status", "503"]),
            Case(mode: "status", status: 69, reason: "httpTooManyRequests", server: ["--status", "429"]),
            Case(mode: "masked-frame", status: 76, reason: "protocolViolation", server: ["--confirmed"]),
        ]

    /// Silence, ended by `--duration` long before the library's deadlines.
    static let silence: [Case] = all(["tls-stall", "upgrade-stall", "no-confirmation", "other-confirmation"], 69, nil)

    /// Behavior that a client must tolerate.
    static let tolerated: [Case] = [
        Case(mode: "good", status: 0, arguments: ["--count", "1"]),
        Case(mode: "drip", status: 0, arguments: ["--count", "2"]),
        Case(mode: "unusable-messages", status: 0, arguments: ["--count", "2"]),
        Case(mode: "socket-closing", status: 0, arguments: ["--count", "2"]),
        Case(mode: "no-heartbeats", status: 0, arguments: ["--count", "1"]),
        Case(mode: "second-confirmation", status: 0, arguments: ["--count", "1"]),
        Case(mode: "dead", status: 0, arguments: ["--count", "1"]),
        Case(mode: "frozen", status: 0, arguments: ["--count", "1"]),
        Case(mode: "close-ignored", status: 0, arguments: ["--count", "1"]),
        Case(mode: "close-after-confirmation", status: 0, arguments: ["--count", "2"], server: ["--times", "1"]),
    ]

    @Test(arguments: final)
    func `a refusal or a broken rule is final at the first connection, whatever the policy`(_ case: Case) async throws {
        let end = try await run(`case`, ["--duration", "30"])
        let last = try #require(try Tool.events(end.errors).last)
        #expect(last["event"] as? String == "failed")
        #expect(last["reason"] as? String == `case`.reason)
        if let status = `case`.server.last.flatMap(Int.init) { #expect(last["status"] as? Int == status) }
    }

    @Test(arguments: losses)
    func `a loss ends a channel that may not reconnect`(_ case: Case) async throws {
        let end = try await run(`case`, ["--reconnect", "never"])
        let last = try #require(try Tool.events(end.errors).last)
        #expect(last["event"] as? String == "failed")
        let reason = last["reason"] as? String
        // The client sees a reset right after the accept in its connect or in its first read.
        #expect(reason == `case`.reason || (`case`.mode == "tcp-reset" && reason == "connect"))
    }

    @Test(arguments: silence)
    func `silence is no confirmation`(_ case: Case) async throws {
        let end = try await run(`case`, ["--duration", "1"])
        #expect(end.output == [])
        #expect(try Tool.events(end.errors).compactMap { $0["event"] as? String } == ["log", "closed"])
    }

    @Test(arguments: tolerated)
    func `what can be borne is borne`(_ case: Case) async throws {
        let end = try await run(`case`, [])
        let count = try #require(`case`.arguments.last.flatMap(Int.init))
        #expect(end.output.count { $0 == 0x0A } == count)
        let events = try Tool.events(end.errors).compactMap { $0["event"] as? String }
        #expect(events.first == "subscribed" && events.last == "closed", "\(events)")
    }

    private func run(_ case: Case, _ more: [String]) async throws -> Child.End {
        try await Slots.taken {
            let peer = try await Peer("hostile_server.py", ["--mode", `case`.mode] + `case`.server)
            let end = await (try Child.tool(peer.listening("--events") + `case`.arguments + more)).end()
            #expect(end.status == `case`.status, "\(end.errors)")
            try await diagnose(peer, `case`)
            try peer.child.closeInput()
            #expect(try await peer.report().problems == [])
            _ = await peer.child.end()
            return end
        }
    }

    /// The same service once more: `doctor` names what `listen` met.
    private func diagnose(_ peer: Peer, _ case: Case) async throws {
        let isSilent = HostileTests.silence.contains { $0.mode == `case`.mode }
        let diagnosis = try await Diagnosis.run(
            peer.listening().dropFirst() + (isSilent ? ["--first-connection-limit", "1"] : []))
        #expect(diagnosis.status == `case`.doctorStatus, "\(diagnosis)")
        guard diagnosis.status != 0 else { return #expect(try diagnosis.named("subscription").verdict == "ok") }
        let failure = try #require(diagnosis.failures.last)
        #expect(failure.detail.count > 20 && failure.advice.count > 20, "\(failure)")
    }
}
