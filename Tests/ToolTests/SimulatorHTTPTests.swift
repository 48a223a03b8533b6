import Foundation
import Testing

/// The REST side of `simulate`, with an independent client.
@Suite(.enabled(if: Peer.python != nil, Peer.missing), .timeLimit(.minutes(patience(2))))
struct SimulatorHTTPTests {
    private struct Answer: Decodable {
        var statuses: [Int]
        var body: String
    }

    private static let path = "/api/v2/notifications/channels"

    /// The simulator's answers to the requests, whose parts are sent one after the other.
    private func ask(_ requests: [[String]]) async throws -> [Answer] {
        var answers: [Answer] = []
        try await Simulator.with { simulator in
            let python = try #require(Peer.python)
            let announcement = simulator.announcement
            let child = try Child(
                URL(filePath: python),
                [Peer.folder.appending(path: "rest_client.py").path, announcement.uri, announcement.caFile])
            let target = "\(Self.path)/\(announcement.uri.split(separator: "/").last ?? "")/subscriptions"
            for parts in requests {
                let texts = parts.map {
                    $0.replacing("SUBSCRIPTIONS", with: target).replacing("CHANNELS", with: Self.path)
                }
                try child.send(line: String(decoding: JSONEncoder().encode(texts), as: UTF8.self))
                let line = try #require(await child.output?.nextLine(), "the client broke off")
                answers.append(try JSONDecoder().decode(Answer.self, from: Data(line.utf8)))
            }
            try child.closeInput()
            #expect(await child.end().errors == "")
        }
        return answers
    }

    @Test func `a body may be in chunks, awaited, or of a request whose target is an absolute URI`() async throws {
        let chunks = "6;x=y\r\n[{\"id\"\r\n9\r\n:\"v2.a\"}]\r\n0\r\nX-Sum: 1\r\n\r\n"
        let chunked = "Transfer-Encoding: chunked\r\n"
        let answers = try await ask([
            ["PUT SUBSCRIPTIONS HTTP/1.1\r\nHost: x\r\n\(chunked)\r\n" + chunks],
            ["GET SUBSCRIPTIONS HTTP/1.1\r\nHost: x\r\n\r\n"],
            ["PUT SUBSCRIPTIONS HTTP/1.1\r\nHost: x\r\n\(chunked)Expect: 100-continue\r\n\r\n", chunks],
            [
                "PUT http://x:1SUBSCRIPTIONS HTTP/1.1\r\nHost: y\r\nContent-Length: 15\r\nExpect: 100-continue\r\n\r\n",
                #"[{"id":"v2.b"}]"#,
            ],
            ["GET HTTPS://xSUBSCRIPTIONS HTTP/1.1\r\nHost: y\r\n\r\n"],
            ["PUT SUBSCRIPTIONS HTTP/1.1\r\nHost: x\r\n\(chunked)\r\nnone\r\n"],
            ["PUT SUBSCRIPTIONS HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n\r\n" + #"[{"id":"v2.b"},]"#],
        ])
        #expect(answers.map(\.statuses) == [[200], [200], [100, 200], [100, 200], [200], [400], [400]])
        #expect(answers[1].body == #"{"entities":[{"id":"v2.a","state":"Permitted"}]}"#)
        #expect(answers[4].body == #"{"entities":[{"id":"v2.b","state":"Permitted"}]}"#)
    }

    @Test func `a path outside of the API is not found, and other expectations are not met`() async throws {
        let answers = try await ask([
            ["GET / HTTP/1.1\r\nHost: x\r\n\r\n"], ["GET /channels/x HTTP/1.1\r\nHost: x\r\n\r\n"],
            ["POST /elsewhere HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"],
            ["GET https://x/elsewhere HTTP/1.1\r\nHost: x\r\n\r\n"], ["OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"],
            ["GET / HTTP/1.0\r\n\r\n"], ["GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"],
            ["GET CHANNELS HTTP/1.1\r\nHost: x\r\nExpect: a-miracle\r\n\r\n"],
        ])
        #expect(answers.map(\.statuses) == Array(repeating: [404], count: 7) + [[417]])
    }

    @Test func `a client of the announcement gets a token, makes a channel with it, and listens`() async throws {
        try await Simulator.with("--require-token", "--rate", "200") { simulator in
            let announcement = simulator.announcement
            let base = try #require(announcement.apiBase)
            #expect(announcement.loginBase == base && base.hasPrefix("https://localhost:"))
            #expect(announcement.uri.hasPrefix(base.replacing("https", with: "wss")))
            #expect(announcement.region == "simulator.localhost")
            let client = "\(try #require(announcement.clientId)):\(try #require(announcement.clientSecret))"
            let basic = Data(client.utf8).base64EncodedString()
            let child = try Child(
                URL(filePath: try #require(Peer.python)),
                [Peer.folder.appending(path: "rest_client.py").path, announcement.uri, announcement.caFile])
            func ask(_ request: String) async throws -> Answer {
                try child.send(line: String(decoding: JSONEncoder().encode([request]), as: UTF8.self))
                return try JSONDecoder().decode(
                    Answer.self, from: Data(try #require(await child.output?.nextLine()).utf8))
            }
            let form = "grant_type=client_credentials"
            let token = try await ask(
                "POST /oauth/token HTTP/1.1\r\nHost: x\r\nAuthorization: Basic \(basic)\r\nContent-Length: 29\r\n"
                    + "Content-Type: application/x-www-form-urlencoded\r\n\r\n\(form)")
            #expect(token.statuses == [200])
            let value = try #require(
                (try JSONSerialization.jsonObject(with: Data(token.body.utf8)) as? [String: Any])?["access_token"])
            #expect(try await ask("POST \(Self.path) HTTP/1.1\r\nHost: x\r\n\r\n").statuses == [401])
            let made = try await ask(
                "POST \(Self.path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(value)\r\n\r\n")
            let channel = try JSONSerialization.jsonObject(with: Data(made.body.utf8)) as? [String: Any]
            let uri = try #require(channel?["connectUri"] as? String)
            let listener = try Child.tool(
                ["listen", "--uri", uri, "--ca-file", announcement.caFile, "--topic", "v2.a", "--count", "1"])
            let end = await listener.end()
            #expect(end.status == 0, "\(end.errors)")
            try child.closeInput()
            #expect(await child.end().errors == "")
        }
    }
}
