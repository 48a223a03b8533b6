import Foundation
import GenesysLoop
import GenesysSimulator
import Testing

/// How answers of the REST side come over a connection: kept ones, faults, framing.
@Suite(.timeLimit(.minutes(patience(5)))) struct RESTWireTests {
    typealias Fault = SimulatedService.Fault

    private static let list = RESTServerTests.request("GET", RESTServerTests.path)
    private static let last = RESTServerTests.request(
        "GET", RESTServerTests.path + "/none/subscriptions", headers: "Connection: close\r\n")

    /// Sends requests, and returns what came back until the end of the connection.
    private func exchange(
        _ text: String, on stage: ServerStage, chunkSize: Int? = nil
    ) throws -> (answers: String, ending: String?) {
        let client = try RawClient(stage, greeting: text, chunkSize: chunkSize)
        client.didEnd = { _ in stage.end() }
        stage.run()
        return ((client.head ?? "") + "\r\n\r\n" + String(decoding: client.body, as: UTF8.self), client.ending)
    }

    private func stage(tls: Bool = false, _ fault: Fault? = nil) throws -> ServerStage {
        let stage = try ServerStage(tls: tls) { $0.wire.keepsConnections = true }
        if let fault { stage.server.install(fault) }
        return stage
    }

    @Test(arguments: [nil, 1, 7]) func `a kept connection serves one request after the other`(chunkSize: Int?) throws {
        let stage = try stage(tls: chunkSize == nil)
        let post = RESTServerTests.request(
            "PUT", "\(RESTServerTests.path)/\(stage.id)/subscriptions", body: #"[{"id":"v2.a"}]"#)
        let answers = try exchange(Self.list + post + Self.list + Self.last, on: stage, chunkSize: chunkSize).answers
        #expect(answers.components(separatedBy: "HTTP/1.1 200 OK\r\n").count == 4, "\(answers)")
        #expect(answers.components(separatedBy: "HTTP/1.1 404 ").count == 2)
        #expect(answers.components(separatedBy: "Connection: close").count == 2, "only the last says so")
        #expect(stage.server.acceptedSocketCount == 1 && stage.server.service.requestCount == 4)
        #expect(try stage.server.service.subscriptions(of: stage.id) == ["v2.a"])
    }

    @Test func `a kept connection can become a WebSocket, and an idle one ends after a time`() throws {
        let stage = try stage()
        stage.server.requestTimeout = .milliseconds(50)
        let client = try RawClient(stage, greeting: Self.list)
        client.didEnd = { _ in stage.end() }
        stage.run()
        #expect(client.head?.hasPrefix("HTTP/1.1 200 OK") == true && client.ending == "EOF")
        let other = try self.stage()
        let upgrading = try RawClient(other, greeting: Self.list + RawClient.upgrade(other.id))
        upgrading.didEnd = { _ in other.end() }
        var opened = false
        upgrading.didHead = { _ in
            other.loop.schedule(after: .milliseconds(1)) {
                opened = other.server.service.sockets(of: other.id).count == 1
                upgrading.tcp.close()
                other.end()
            }
        }
        other.run()
        #expect(opened)
    }

    @Test func `a version of its own, or Connection close, ends the connection`() throws {
        for request in [Self.last, "GET \(RESTServerTests.path) HTTP/1.0\r\n\r\n"] {
            let answers = try exchange(request + Self.list, on: stage()).answers
            #expect(answers.components(separatedBy: "HTTP/1.1 ").count == 2 && answers.contains("Connection: close"))
        }
    }

    private static let endings: [(Fault.Answer, String, String)] = [
        (.close, "", "EOF"), (.reset, "", "ECONNRESET"), (.closeKept, "entities", "EOF"), (.truncate, "{\"ent", "EOF"),
        (.html(), "Bad gateway", ""), (.empty(), "Content-Length: 0\r\n", ""),
    ]

    @Test(arguments: endings) func `a fault ends the connection, or replaces the answer`(
        answer: Fault.Answer, part: String, ending: String
    ) throws {
        var fault = Fault(path: "channels", answer: answer)
        fault.count = 1
        let stage = try stage(fault)
        let end = try exchange(Self.list + Self.list + Self.last, on: stage)
        let (answers, how) = end
        #expect(part.isEmpty || answers.contains(part), "\(answers)")
        if ending.isEmpty {
            #expect(answers.components(separatedBy: "HTTP/1.1 ").count == 4)
        } else {
            #expect(how == ending && !answers.contains("Connection: close"))
            #expect(answers.components(separatedBy: "HTTP/1.1 ").count == (part.isEmpty ? 1 : 2))
            #expect(stage.server.service.requestCount == 1)
        }
        #expect((answer == .truncate) == (answers.contains("entities") && !answers.contains("]}")))
    }

    @Test func `a request that is never answered waits for its client`() throws {
        let stage = try stage(Fault(answer: .never))
        stage.server.requestTimeout = .milliseconds(20)
        let client = try RawClient(stage, greeting: Self.list)
        stage.loop.schedule(after: .milliseconds(60)) {
            #expect(stage.server.openSocketCount == 1)
            client.tcp.close()
            stage.end()
        }
        stage.run()
        #expect(client.head == nil && stage.server.service.requests.map(\.delivery) == [.never])
    }

    @Test func `an answer comes after its delay, and then the next request is served`() throws {
        var fault = Fault(answer: .honest)
        fault.delay = .milliseconds(50)
        fault.count = 1
        let stage = try stage(tls: true, fault)
        let began = stage.loop.now.instant
        let answers = try exchange(Self.list + Self.list + Self.last, on: stage).answers
        #expect(answers.components(separatedBy: "HTTP/1.1 ").count == 4)
        #expect(stage.loop.now.instant - began >= .milliseconds(50))
    }

    @Test func `a server can end while an answer waits`() throws {
        var fault = Fault(answer: .honest)
        fault.delay = .seconds(60)
        let stage = try stage(fault)
        let client = try RawClient(stage, greeting: Self.list)
        stage.loop.schedule(after: .milliseconds(30)) { stage.end() }
        stage.run()
        #expect(client.head == nil && client.ending == "EOF")
    }

    // MARK: Framing

    @Test func `a body may be in chunks, and names in lower case`() throws {
        let stage = try stage()
        stage.server.configuration.wire.isChunked = true
        stage.server.configuration.wire.lowercasesNames = true
        let answers = try exchange(Self.list + Self.last, on: stage).answers
        #expect(answers.contains("\r\ntransfer-encoding: chunked\r\n") && !answers.contains("ontent-length"))
        #expect(answers.contains("\r\ncontent-type: application/json\r\n"))
        #expect(answers.contains("\r\n0\r\n\r\nHTTP/1.1 404") && answers.hasSuffix("\r\n0\r\n\r\n"))
        let chunks = try #require(answers.components(separatedBy: "\r\n\r\n").dropFirst().first)
        let sizes = chunks.split(separator: "\r\n").enumerated().filter { $0.offset % 2 == 0 }.map {
            Int($0.element, radix: 16)
        }
        #expect(sizes.count == 3 && sizes.last == 0 && !sizes.contains(nil), "\(chunks)")
    }

    @Test func `an answer may be of HTTP 1.0, or come after an interim one`() throws {
        let old = try stage()
        old.server.configuration.wire.isHTTP10 = true
        let end = try exchange(Self.list + Self.list, on: old)
        #expect(end.answers.hasPrefix("HTTP/1.0 200 OK\r\n") && end.ending == "EOF")
        #expect(!end.answers.contains("Content-Length") && end.answers.hasSuffix("]}"))
        let interim = try stage()
        interim.server.configuration.wire.sendsContinue = true
        let answers = try exchange(Self.list + Self.last, on: interim).answers
        #expect(answers.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"))
        #expect(answers.components(separatedBy: " 100 Continue").count == 3)
    }

    // MARK: Tokens

    @Test func `a token is made and used over a connection`() throws {
        let stage = try stage(tls: true)
        stage.server.configuration.tokens.areRequired = true
        let form = RESTServerTests.request(
            "POST", "/oauth/token", body: "grant_type=client_credentials",
            headers: "Content-Type: application/x-www-form-urlencoded\r\nAuthorization: \(RESTStage.basic)\r\n")
        let client = try RawClient(stage, greeting: form)
        client.didEnd = { _ in stage.end() }
        client.didHead = { client in
            stage.loop.schedule(after: .zero) {
                let body = String(decoding: client.body, as: UTF8.self)
                let token = body.split(separator: "\"").dropFirst(3).first ?? ""
                let bearer = "Authorization: Bearer \(token)\r\n"
                let post = RESTServerTests.request("POST", RESTServerTests.path, headers: bearer)
                client.sendBytes(Array((post + Self.list + Self.last).utf8))
            }
        }
        stage.run()
        let records = stage.server.service.requests
        #expect(records.map(\.status) == [200, 200, 401, 401] && records.map(\.token) == [nil, 1, nil, nil])
        #expect(stage.server.service.channelIDs.count == 2)
        #expect(stage.server.restBase == "https://localhost:\(stage.server.port)")
    }

    @Test func `the end of a token closes the sockets of its channels`() throws {
        let stage = try ServerStage {
            $0.tokens.areRequired = true
            $0.tokens.life = .milliseconds(100)
        }
        stage.server.startOtherProcess(channelCount: 1)
        let id = try #require(stage.server.service.channelIDs.last)
        let client = try RawClient(stage, greeting: RawClient.upgrade(id))
        client.didReceiveClose = { client in client.send(.close, [3, 233]) }
        client.didEnd = { _ in stage.end() }
        stage.run()
        #expect(client.head?.hasPrefix("HTTP/1.1 101 ") == true && client.closeCode == .goingAway)
        #expect(stage.server.service.liveTokenCount == 0)
    }
}
