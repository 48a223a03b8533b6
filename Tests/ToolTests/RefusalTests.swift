import Foundation
import Testing

/// The tool's output about a server's text in a refused upgrade.
@Suite(.timeLimit(.minutes(patience(2)))) struct RefusalTests {
    private static let body = #"{"message":"Sorry, /channels/streaming-1-secret is full.","status":400}"#

    private func arguments(_ peer: ScriptedPeer, _ more: String...) -> [String] {
        ["listen", "--uri", peer.uri + "channels/streaming-1-secret", "--topic", "v2.a", "--no-proxy"] + more
    }

    private func answer(_ status: String, _ headers: [String], body: String = "") throws -> ScriptedPeer {
        let head = (["HTTP/1.1 \(status)"] + headers + ["Content-Length: \(body.utf8.count)", "", ""])
        return try ScriptedPeer(head: { _ in head.joined(separator: "\r\n") + body })
    }

    @Test(
        arguments: [
            ("400 Bad Request", 69, "invalidStatusCode"), ("401 Unauthorized", 77, "httpUnauthorized"),
            ("403 Forbidden", 77, "httpForbidden"),
        ] as [(String, Int32, String)])
    func `the server's own words and its correlation id are told`(
        line: String, status: Int32, reason: String
    ) async throws {
        let headers = ["Content-Type: application/json", "ININ-Correlation-Id: 5b3c1a52-7b3e"]
        let peer = try answer(line, headers, body: Self.body)
        let end = try await Tool.run(arguments(peer, "--events"))
        #expect(end.status == status, "\(end.errors)")
        let last = try #require(try Tool.events(end.errors).last)
        #expect(last["event"] as? String == "failed")
        #expect(last["reason"] as? String == reason)
        #expect(last["status"] as? Int == Int(line.prefix(3)))
        #expect(last["correlationId"] as? String == "5b3c1a52-7b3e")
        #expect(last["location"] == nil)
        let message = try #require(last["message"] as? String)
        #expect(
            message.contains("(the server said: Sorry, … is full; its correlation id is 5b3c1a52-7b3e)"), "\(message)")
        #expect(!message.contains("topics") && !end.errors.contains("secret"))
        // Once more with the output for people.
        let again = try await Tool.run(arguments(try answer(line, headers, body: Self.body)))
        #expect(again.errors.contains("Sorry, … is full;") && again.errors.contains("5b3c1a52-7b3e"), "\(again.errors)")
    }

    @Test func `a redirect is named as one, with its host`() async throws {
        let peer = try answer("301 Moved Permanently", ["Location: https://login.example.com/?to=streaming-1-secret"])
        let end = try await Tool.run(arguments(peer, "--events"))
        #expect(end.status == 69)
        let last = try #require(try Tool.events(end.errors).last)
        #expect(last["reason"] as? String == "invalidStatusCode")
        #expect(last["status"] as? Int == 301)
        #expect(last["location"] as? String == "login.example.com")
        let message = try #require(last["message"] as? String)
        #expect(message.contains("redirected the upgrade to login.example.com"), "\(message)")
        #expect(!end.errors.contains("secret"))
    }

    @Test(arguments: ["Sun, 06 Nov 1994 08:49:43 GMT", "Sunday, 06-Nov-94 08:49:43 GMT", "Sun Nov  6 08:49:43 1994"])
    func `a Retry-After date is waited for, however wrong our clock is`(date: String) async throws {
        let peer = try answer(
            "503 Service Unavailable", ["Date: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After: \(date)"],
            body: Self.body)
        try await Slots.taken {
            let child = try Child.tool(arguments(peer, "--events"), mayLeak: true)
            let line = try #require(await child.errors.nextLine())
            child.signal(SIGTERM)
            _ = await child.end()
            let event = try #require(try Tool.events(line).first)
            #expect(event["event"] as? String == "reconnecting", "\(line)")
            #expect(event["status"] as? Int == 503)
            let delay = try #require(event["delay"] as? Double)
            #expect((6..<7).contains(delay), "\(line)")
            let message = try #require(event["message"] as? String)
            #expect(message.contains("(the server said: Sorry, … is full)"), "\(message)")
        }
    }
}
