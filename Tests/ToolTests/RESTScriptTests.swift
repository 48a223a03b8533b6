import Foundation
import GenesysLoop
import GenesysSimulator
import Testing

@testable import genesys_loop

/// The steps of a script about tokens and the REST side.
@Suite struct RESTScriptTests {
    private typealias Fault = SimulatedService.Fault

    private func action(_ members: String) throws -> ScriptAction {
        try #require(try SimulatorScript(Data(#"{"steps":[{"at":0,\#(members)}]}"#.utf8), name: "f").steps.first).action
    }

    /// The configuration after steps.
    private func configured(_ steps: String...) throws -> SimulatedService.Configuration {
        var configuration = SimulatedService.Configuration()
        for step in steps {
            guard case .configure(let change) = try action(step) else {
                Issue.record("\(step) does not configure")
                continue
            }
            change(&configuration)
        }
        return configuration
    }

    private func fault(_ members: String) throws -> Fault {
        guard case .rest(let fault) = try action(#""do":"rest",\#(members)"#) else { throw NoFault() }
        return fault
    }

    private struct NoFault: Error {}

    @Test func `a step of tokens turns the check on, and changes what it names`() throws {
        var expected = SimulatedService.Configuration()
        expected.tokens.areRequired = true
        #expect(try configured(#""do":"tokens""#) == expected)
        let all = #"""
            "do":"tokens","life":60,"max":3,"clientId":"c","clientSecret":"s","client":"disabled","endChannels":false,
            "foreignChannels":403
            """#
        expected.tokens.life = .seconds(60)
        expected.tokens.maxLiveCount = 3
        (expected.tokens.clientID, expected.tokens.clientSecret) = ("c", "s")
        (expected.tokens.clientState, expected.tokens.endChannels) = (.disabled, false)
        expected.tokens.hidesForeignChannels = false
        #expect(try configured(all) == expected)
        expected.tokens.areRequired = false
        expected.tokens.clientState = .active
        #expect(try configured(all, #""do":"tokens","required":false,"client":"active""#) == expected)
    }

    @Test func `rates, wire and set change what they name`() throws {
        var expected = SimulatedService.Configuration()
        expected.rates.requestsPerMinute = 5
        expected.rates.creationsPerMinute = 1
        expected.rates.retryAfter = .seconds(7_200)
        #expect(try configured(#""do":"rates","requests":5,"creations":1,"retryAfter":7200"#) == expected)
        expected.rates.retryAfter = .absent
        #expect(
            try configured(
                #""do":"rates","requests":5"#, #""do":"rates","creations":1,"retryAfter":"none""#) == expected)
        expected = SimulatedService.Configuration()
        expected.wire.keepsConnections = true
        expected.wire.lowercasesNames = true
        expected.wire.isChunked = true
        expected.wire.sendsContinue = true
        expected.wire.isHTTP10 = true
        #expect(
            try configured(
                #""do":"wire","keepAlive":true,"lowerCase":true,"chunked":true,"continue":true,"version":"1.0""#)
                == expected)
        expected = SimulatedService.Configuration()
        expected.commands.unnamedTopics = ["v2.a"]
        expected.channels.permitsIgnoringErrors = false
        expected.channels.minCatalogByteCount = 5_000_000
        expected.channels.overflow = .starve
        #expect(
            try configured(
                #""do":"set","unnamedTopics":["v2.a"],"ignoreErrors":false,"catalogSize":5e6,"overflow":"starve""#)
                == expected)
    }

    @Test func `a fault has a path, a method, an answer and its numbers`() throws {
        var expected = Fault(
            path: "subscriptions", method: "PUT",
            answer: .refuse(
                .init(status: 503, headers: [.init("Retry-After", "2")], message: "Refused by the script.")))
        expected.count = 3
        #expect(
            try fault(#""path":"subscriptions","method":"PUT","answer":503,"retryAfter":2,"count":3"#) == expected)
        let answers: [(String, Fault.Answer)] = [
            (#""honest""#, .honest), (#""never""#, .never), (#""reset""#, .reset),
            (#""closeAfterRequest""#, .close), (#""closeKept""#, .closeKept), (#""truncate""#, .truncate),
            (#""html""#, .html()), (#""html","status":200"#, .html(status: 200)), (#""empty""#, .empty()),
            (#""redirect""#, .redirect(to: "https://login.example.com/")),
            (#""redirect","location":"/x""#, .redirect(to: "/x")), ("204", .empty(status: 204)),
            (#"200,"body":{"a":1}"#, .json(status: 200, Array(#"{"a":1}"#.utf8))),
        ]
        for (text, answer) in answers {
            #expect(try fault(#""answer":\#(text)"#) == Fault(answer: answer), "\(text)")
        }
        var late = Fault(path: "oauth/token", answer: .honest)
        late.delay = .milliseconds(2_500)
        late.skipCount = 4
        late.takesEffect = false
        #expect(try fault(#""path":"oauth/token","delay":2.5,"after":4,"acts":false"#) == late)
    }

    @Test(arguments: [
        (#""do":"rest""#, "'answer' is missing in step 1"), (#""do":"rest","answer":199"#, "200 to 599"),
        (#""do":"rest","answer":"no""#, "'honest', 'never', 'reset', 'closeAfterRequest'"),
        (#""do":"rest","answer":503,"path":"nowhere""#, "'path' in step 1"),
        (#""do":"rest","answer":503,"path":"""#, "'path' in step 1"),
        (#""do":"rest","answer":503,"method":"put""#, "'GET', 'HEAD'"),
        (#""do":"rest","answer":503,"count":0"#, "1 to 1000000"),
        (#""do":"rest","answer":"never","status":500"#, "'status' means nothing"),
        (#""do":"rest","answer":true"#, "'answer' in step 1"), (#""do":"tokens","client":1"#, "'client' means nothing"),
        (#""do":"tokens","client":"x""#, "'active', 'disabled', 'unknown'"),
        (#""do":"tokens","foreignChannels":200"#, "403 to 404"), (#""do":"rates","retryAfter":"x""#, "'remaining'"),
        (#""do":"wire","version":"2""#, "'1.0', '1.1'"), (#""do":"otherProcess","channels":1001"#, "0 to 1000"),
    ]) func `a mistake in a step about REST is named`(members: String, part: String) {
        #expect {
            try action(members)
        } throws: { error in
            "\(error)".contains(part)
        }
    }

    @Test func `a script plays its steps on a server`() throws {
        var configuration = SimulatedService.Configuration()
        configuration.timeScale = 1_000
        let loop = try UVLoop()
        let server = try SimulatorServer(on: loop, tls: false, configuration: configuration, seed: 1)
        server.start()
        let text = """
            {"steps": [
              {"at": 1, "do": "tokens", "life": 3600}, {"at": 1, "do": "otherProcess", "channels": 2},
              {"at": 2, "do": "otherProcess"}, {"at": 3, "do": "revokeToken"}, {"at": 4, "do": "otherProcess"},
              {"at": 5, "do": "expireTokens"}, {"at": 6, "do": "rest", "answer": 503}, {"at": 7, "do": "stop"}
            ]}
            """
        let player = ScriptPlayer(try SimulatorScript(Data(text.utf8), name: "f"), on: server)
        player.start()
        loop.run()
        #expect(server.service.madeTokenCount == 3 && server.service.liveTokenCount == 0)
        #expect(server.service.channelIDs.isEmpty)
        var service = server.service
        let answer = service.restRequested(
            .init("GET", "/api/v2/users/me"), socketBase: "", wall: WallTime(seconds: 0), now: .seconds(1))
        #expect(answer.status == 503)
    }
}
