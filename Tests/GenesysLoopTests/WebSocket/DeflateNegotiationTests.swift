import Testing

@testable import GenesysLoop
@testable import ServerKit

@Suite struct DeflateNegotiationTests {
    static func wanted(
        serverNoContext: Bool = false, clientNoContext: Bool = false, serverBits: Int = 15, clientBits: Int = 15
    ) -> DeflateParameters {
        var parameters = DeflateParameters()
        parameters.serverNoContextTakeover = serverNoContext
        parameters.clientNoContextTakeover = clientNoContext
        parameters.serverMaxWindowBits = serverBits
        parameters.clientMaxWindowBits = clientBits
        return parameters
    }

    static func check(_ answer: String..., wanted: DeflateParameters = DeflateParameters()) -> DeflateParameters? {
        try? DeflateOffer(wanted).check(answer: answer)
    }

    // MARK: - The offer

    @Test(arguments: [
        (wanted(), "permessage-deflate; client_max_window_bits"),
        (wanted(clientBits: 9), "permessage-deflate; client_max_window_bits=9"),
        (wanted(serverBits: 8), "permessage-deflate; server_max_window_bits=8; client_max_window_bits"),
        (
            wanted(serverNoContext: true, clientNoContext: true),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits"
        ),
    ]) func `an offer says what is wanted`(wanted: DeflateParameters, value: String) throws {
        #expect(DeflateOffer(wanted).headerValue == value)
        let uri = try WebSocketURI("ws://localhost/")
        let head = try UpgradeRequest.encode(uri: uri, key: "k", deflate: DeflateOffer(wanted))
        #expect(String(decoding: head, as: UTF8.self).contains("\r\nSec-WebSocket-Extensions: \(value)\r\n"))
        let plain = try UpgradeRequest.encode(uri: uri, key: "k")
        #expect(!String(decoding: plain, as: UTF8.self).contains("Extensions"))
    }

    // MARK: - The answer

    @Test func `an acceptable answer is what both sides keep to`() {
        #expect(Self.check("permessage-deflate") == Self.wanted())
        #expect(Self.check("permessage-deflate; server_no_context_takeover") == Self.wanted(serverNoContext: true))
        #expect(Self.check("permessage-deflate;client_no_context_takeover") == Self.wanted(clientNoContext: true))
        #expect(Self.check("permessage-deflate; server_max_window_bits=8") == Self.wanted(serverBits: 8))
        #expect(Self.check("permessage-deflate; client_max_window_bits=\"10\"") == Self.wanted(clientBits: 10))
        #expect(Self.check("permessage-deflate; client_max_window_bits=\"1\\5\"") == Self.wanted())
        #expect(Self.check(" , permessage-deflate ; server_max_window_bits = 15 ,") == Self.wanted())
        #expect(Self.check("", "permessage-deflate") == nil, "an empty header is no list")
        let tight = Self.wanted(serverNoContext: true, serverBits: 10, clientBits: 12)
        let answer = "permessage-deflate; server_no_context_takeover; server_max_window_bits=9"
        #expect(Self.check(answer, wanted: tight) == Self.wanted(serverNoContext: true, serverBits: 9, clientBits: 12))
    }

    @Test(arguments: [
        // Another extension, or the same twice (RFC 6455 §4.1, RFC 7692 §5.1).
        "x-webkit-deflate-frame", "permessage-deflate, permessage-deflate", "permessage-deflate, x",
        "Permessage-Deflate",
        // The grammar (RFC 6455 §9.1).
        "", ";", "permessage-deflate;", "permessage-deflate; =8", "permessage-deflate; server_max_window_bits=",
        "permessage-deflate; server_max_window_bits=\"9", "permessage-deflate; server_max_window_bits=\"\"",
        "permessage-deflate server_no_context_takeover", "permessage-deflate; server_max_window_bits=\"9\\",
        "permessage-deflate; server_max_window_bits=\" 9\"", "permessage-deflate; server_max_window_bits=9 9",
        // The parameters (RFC 7692 §7.1).
        "permessage-deflate; unknown", "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; server_no_context_takeover=1", "permessage-deflate; client_no_context_takeover=true",
        "permessage-deflate; server_max_window_bits", "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=16", "permessage-deflate; server_max_window_bits=09",
        "permessage-deflate; server_max_window_bits=+9", "permessage-deflate; server_max_window_bits=0x9",
        "permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=8; client_max_window_bits=8",
        "permessage-deflate; client_max_window_bits=999999999999999999999",
    ]) func `an answer that breaks a rule fails the connection`(answer: String) {
        #expect(throws: UpgradeFailure.self) { try DeflateOffer(DeflateParameters()).check(answer: [answer]) }
    }

    @Test(arguments: [
        (wanted(serverNoContext: true), "permessage-deflate"),
        (wanted(serverBits: 10), "permessage-deflate"),
        (wanted(serverBits: 10), "permessage-deflate; server_max_window_bits=11"),
        (wanted(clientBits: 10), "permessage-deflate; client_max_window_bits=11"),
    ]) func `an answer that ignores what was asked fails the connection`(wanted: DeflateParameters, answer: String) {
        #expect(throws: UpgradeFailure.self) { try DeflateOffer(wanted).check(answer: [answer]) }
    }

    @Test func `the parser of the response checks the answer, and refuses one to nothing`() throws {
        let head = UpgradeResponseTests.head(
            UpgradeResponseTests.good + ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=9"])
        var parser = UpgradeResponseParser(
            expectedAccept: UpgradeResponseTests.accept, deflateOffer: DeflateOffer(DeflateParameters()))
        #expect(try parser.receive(head.span) == .accepted(consumed: head.count))
        #expect(parser.deflate == Self.wanted(clientBits: 9))
        #expect(UpgradeResponseTests.isInvalid(head))
        // Two headers of the name are one list.
        let twice = UpgradeResponseTests.head(
            UpgradeResponseTests.good
                + ["Sec-WebSocket-Extensions: permessage-deflate", "Sec-WebSocket-Extensions: permessage-deflate"])
        var strict = UpgradeResponseParser(
            expectedAccept: UpgradeResponseTests.accept, deflateOffer: DeflateOffer(DeflateParameters()))
        #expect(throws: UpgradeFailure.self) { try strict.receive(twice.span) }
        var declined = UpgradeResponseParser(
            expectedAccept: UpgradeResponseTests.accept, deflateOffer: DeflateOffer(DeflateParameters()))
        let plain = UpgradeResponseTests.head(UpgradeResponseTests.good)
        #expect(try declined.receive(plain.span) == .accepted(consumed: plain.count))
        #expect(declined.deflate == nil)
    }

    // MARK: - The server's half

    @Test(arguments: [
        ("permessage-deflate", "permessage-deflate", wanted()),
        ("permessage-deflate; client_max_window_bits", "permessage-deflate", wanted()),
        (
            "permessage-deflate; client_max_window_bits=10",
            "permessage-deflate; client_max_window_bits=10", wanted(clientBits: 10)
        ),
        (
            "permessage-deflate; server_max_window_bits=15", "permessage-deflate; server_max_window_bits=15", wanted()
        ),
        (
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            wanted(serverNoContext: true, clientNoContext: true)
        ),
        // The first acceptable one is chosen, whatever surrounds it.
        (
            "x; y=\"z\", permessage-deflate; bogus, permessage-deflate; server_max_window_bits=9, permessage-deflate",
            "permessage-deflate; server_max_window_bits=9", wanted(serverBits: 9)
        ),
    ]) func `a server accepts the first offer that it can keep`(
        offer: String, answer: String, agreed: DeflateParameters
    ) throws {
        let accepted = try #require(try DeflateAnswer.accept([offer]))
        #expect(accepted.headerValue == answer)
        #expect(accepted.parameters == agreed)
    }

    @Test func `a server declines what it cannot keep and refuses what is no list`() throws {
        #expect(try DeflateAnswer.accept([]) == nil)
        #expect(try DeflateAnswer.accept(["x-other"]) == nil)
        #expect(try DeflateAnswer.accept(["permessage-deflate; server_max_window_bits=7"]) == nil)
        #expect(try DeflateAnswer.accept(["permessage-deflate"], wanted: Self.wanted(clientBits: 9)) == nil)
        #expect(throws: UpgradeRequestError.self) { try DeflateAnswer.accept(["permessage-deflate;;"]) }
    }

    @Test func `every answer of ours is acceptable to every offer of ours`() throws {
        let all = [false, true].flatMap { first in
            [false, true].flatMap { second in
                [8, 11, 15].flatMap { third in
                    [8, 11, 15].map {
                        Self.wanted(
                            serverNoContext: first, clientNoContext: second, serverBits: third, clientBits: $0)
                    }
                }
            }
        }
        for client in all {
            for server in all {
                let offer = DeflateOffer(client)
                let answer = try #require(try DeflateAnswer.accept([offer.headerValue], wanted: server))
                #expect(try offer.check(answer: [answer.headerValue]) == answer.parameters)
            }
        }
    }
}
