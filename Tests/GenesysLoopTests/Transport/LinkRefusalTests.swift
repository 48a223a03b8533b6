import Testing

@testable import GenesysLoop

/// An upgrade that is refused, and the server's reason.
@Suite(.timeLimit(.minutes(patience(1)))) struct LinkRefusalTests {
    private static func answer(_ head: String, _ body: String) -> [UInt8] {
        Array("HTTP/1.1 \(head)\r\nININ-Correlation-Id: abc\r\n\(body)".utf8)
    }

    private func failure(_ steps: [Step], tls: Bool, chunk: Int = .max) throws -> ChannelFailure {
        let server = try ScriptedServer(UVLoop(), tls: tls, [.request] + steps)
        server.chunk = chunk
        let probe = LinkProbe(server)
        try probe.run()
        #expect(probe.endCount == 1)
        return try #require(probe.end?.failure)
    }

    @Test(arguments: [false, true], [Int.max, 1])
    func `the body is waited for, and the connection need not end`(tls: Bool, chunk: Int) throws {
        let start = Self.answer(
            "403 Forbidden", "Content-Type: application/json\r\nContent-Length: 22\r\n\r\n{\"message\":")
        let failure = try failure(
            [.bytes(start), .turn, .bytes(Array("\"not you\"}\n".utf8)), .clientEnd], tls: tls, chunk: chunk)
        #expect(failure.reason == .httpForbidden && failure.status == 403)
        #expect(failure.message == "not you")
        #expect(failure.correlationID == "abc")
    }

    @Test(arguments: [Step.fin, .reset, .clientEnd], [false, true])
    func `a body that is kept back or cut off holds the failure up for a moment at most`(last: Step, tls: Bool) throws {
        let start = Self.answer("503 Service Unavailable", "Content-Length: 100\r\n\r\nthe first")
        let begin = ContinuousClock.now
        let failure = try failure([.bytes(start), .turn, .turn, last], tls: tls)
        // The deadline of the upgrade is ten seconds.
        #expect(ContinuousClock.now - begin < .seconds(5))
        #expect(failure.reason == .invalidStatusCode && failure.status == 503)
        // A reset may overtake what was sent before it.
        if case .reset = last { return }
        #expect(failure.message == "the first")
    }

    @Test func `a refusal without a body fails at once`() throws {
        let failure = try failure(
            [.bytes(Self.answer("404 Not Found", "Content-Length: 0\r\n\r\n")), .clientEnd], tls: false)
        #expect(failure.reason == .httpNotFound && failure.message == nil && failure.correlationID == "abc")
    }

    @Test func `what the service says on an open channel does not repeat its secret either`() throws {
        let notice =
            #"{"topicName":"v2.system.token_revoked","eventBody":{"message":"Revoked, channel SECRET with it."}}"#
        let server = try ScriptedServer(UVLoop(), Step.subscription + [.text(notice)] + Step.goodbye)
        let host = ChannelHost()
        try host.run(on: server)
        #expect(host.failure?.reason == .tokenRevoked)
        #expect(host.failure?.message == "Revoked, channel … with it.")
    }

    @Test func `neither a body nor a Close frame repeats the channel's secret`() throws {
        let text = "no channel /channels/secret"
        let refused = try failure([.bytes(Self.answer("400 No", "\r\n\(text)")), .fin], tls: false)
        #expect(refused.message == "no channel …")
        let closed = try failure([.accept, .close(.normal, text), .fin], tls: false)
        #expect(closed.underlying?.text == "no channel …")
        for failure in [refused, closed] { #expect(!"\(failure)".contains("secret")) }
    }
}
