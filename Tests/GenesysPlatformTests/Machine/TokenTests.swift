import GenesysLoop
import Testing

@testable import GenesysPlatform

/// One token for any number of calls. The numbers of scenes and traps are those of the platform sheet, §8 and §7.
@Suite struct TokenTests {
    @Test func `a call without a token asks for one first`() {
        var stage = RESTStage()
        #expect(stage.call() == ["mint 1"])
        #expect(stage.answer() == ["tell token 86400", "keep 1", "token 1", "send 2 POST with 1"])
        #expect(stage.answer() == ["answer 1 with 1"])
        #expect(stage.call(.listChannels) == ["send 3 GET with 1"])
    }

    @Test func `50 concurrent calls without a token: one request, 50 answers`() {
        var stage = RESTStage()
        for _ in 0..<50 { _ = stage.call(.listChannels) }
        #expect(stage.open.count == 1)
        _ = stage.answer()
        #expect(stage.open.count == 50)
        let answers = (0..<50).flatMap { _ in stage.answer() }
        #expect(answers == (1...50).map { "answer \($0) with 1" })
        #expect(stage.mintCount == 1)
    }

    @Test func `50 concurrent calls on an ended token: one new token, each call repeated once (scene 1)`() {
        var stage = RESTStage()
        _ = stage.call() + stage.answer() + stage.answer()
        stage.pass(100)
        for _ in 0..<50 { _ = stage.call(.listChannels) }
        var answers: [String] = []
        // All are refused, half of them before the new token arrives.
        for _ in 0..<25 { answers += stage.fail(401) }
        _ = stage.run(2)
        let mint = stage.open.last?.rawValue
        answers += stage.answer(request: mint)
        while !stage.open.isEmpty {
            let request = stage.open[0]
            let isOld = request.rawValue < mint ?? 0
            answers += isOld ? stage.fail(401) : stage.answer()
        }
        #expect(answers.filter { $0.hasPrefix("answer") }.count == 50)
        #expect(!answers.contains { $0.hasPrefix("fail") })
        #expect(stage.mintCount == 2)
        #expect(stage.sentCount == 1 + 100)
    }

    @Test func `401 for an older token repeats with the present one and asks for no other (trap 3)`() {
        var stage = RESTStage()
        _ = stage.call() + stage.answer() + stage.answer()
        stage.pass(100)
        _ = stage.call(.listChannels)
        _ = stage.call(.listChannels)
        #expect(stage.fail(401) == ["mint 5"])
        #expect(stage.answer(request: 5).suffix(1) == ["send 6 GET with 2"])
        #expect(stage.fail(401, request: 4) == ["send 7 GET with 2"])
        #expect(stage.mintCount == 2)
    }

    @Test func `a second 401, for the new token, ends the call (trap 4)`() {
        var stage = RESTStage()
        _ = stage.call() + stage.answer()
        stage.pass(10)
        #expect(stage.fail(401) == ["mint 3"])
        _ = stage.answer()
        #expect(stage.fail(401) == ["fail 1 unauthorized"])
        #expect(stage.mintCount == 2)
    }

    @Test func `a client that is refused ends every waiting call at once (scene 3)`() {
        var stage = RESTStage()
        _ = stage.call(for: 60) + stage.call(.listChannels)
        let body = #"{"error":"invalid_client","description":"client not found"}"#
        #expect(stage.fail(400, body: body) == ["fail 1 unauthorized", "fail 2 unauthorized"])
        #expect(stage.run(3_600) == [])
        #expect(stage.mintCount == 1)
    }

    @Test func `400 with "rate limit exceeded" is no refusal of the client (trap 5)`() {
        var stage = RESTStage()
        _ = stage.call(for: 60)
        let body = #"{"error":"invalid_request","error_description":"rate limit exceeded; retry"}"#
        #expect(stage.fail(400, retryAfter: 7, body: body) == ["tell throttled 7"])
        #expect(stage.run(6.9) == [])
        #expect(stage.run(1) == ["mint 2"])
        #expect(stage.answer().last == "send 3 POST with 1")
    }

    @Test func `requests for tokens become rarer while the service refuses each token at once (trap 6)`() {
        var stage = RESTStage()
        stage.machine.userJoined()
        var times: [Double] = []
        while stage.seconds < 600 {
            _ = stage.call(.listChannels, for: 120)
            let count = stage.mintCount
            _ = stage.open.isEmpty ? stage.run(0.5) : []
            if stage.mintCount > count { times.append(stage.seconds) }
            while let request = stage.open.first {
                _ = stage.calls[request] == .mintToken ? stage.answer() : stage.fail(401)
            }
        }
        #expect(stage.mintCount < 25, "\(stage.mintCount)")
        #expect(stage.mintCount > 5)
    }

    @Test func `the renewal begins a tenth of the life before the end, with jitter`() {
        var starts: Set<Double> = []
        for seed: UInt64 in 1...50 {
            var stage = RESTStage(seed: seed)
            stage.machine.userJoined()
            _ = stage.call() + stage.answer() + stage.answer()
            guard let due = stage.nextDeadline else { continue }
            #expect((0.9 * 86_400...0.91 * 86_400).contains(due), "\(due)")
            starts.insert(due)
        }
        #expect(starts.count > 40)
    }

    @Test(arguments: [(300, 270.0), (60, 30), (40, 20), (2, 1), (172_800, 155_520)])
    func `the margin is at least 30 s and at most half of the life`(life: Int, start: Double) {
        var stage = RESTStage()
        stage.machine.userJoined()
        _ = stage.call()
        _ = stage.answer(.success(.token(SecretBytes("a"), lifetime: .seconds(life))))
        let margin = Double(life) - start
        #expect(stage.nextDeadline.map { (start...start + margin / 10 + 0.001).contains($0) } == true)
    }

    @Test(arguments: [(300, 19, 246.0), (300, 10, 270), (60, 19, 30), (86_400, 19, 77_760)])
    func `many channels, which move one after the other, begin early enough`(life: Int, channels: Int, start: Double) {
        var stage = RESTStage()
        for _ in 0..<channels { stage.machine.userJoined() }
        _ = stage.call()
        _ = stage.answer(.success(.token(SecretBytes("a"), lifetime: .seconds(life))))
        let margin = Double(life) - start
        #expect(stage.nextDeadline.map { (start...start + margin / 10 + 0.001).contains($0) } == true)
    }

    @Test func `calls use the old token until the new one is there`() {
        var stage = RESTStage()
        stage.machine.userJoined()
        _ = stage.call() + stage.answer() + stage.answer()
        #expect(stage.run(80_000) == ["mint 3"])
        #expect(stage.call(.listChannels) == ["send 4 GET with 1"])
        #expect(stage.answer(request: 3).suffix(2) == ["keep 2", "token 2"])
        #expect(stage.call(.listChannels) == ["send 5 GET with 2"])
    }

    @Test func `without a channel nothing is renewed, and an ended token is not used`() {
        var stage = RESTStage()
        _ = stage.call() + stage.answer() + stage.answer()
        #expect(stage.nextDeadline == nil)
        stage.pass(86_400)
        #expect(stage.call() == ["mint 3"])
    }

    @Test func `a renewal that passes by itself is tried again until the token ends`() {
        var stage = RESTStage()
        stage.machine.userJoined()
        _ = stage.call() + stage.answer() + stage.answer()
        _ = stage.run(80_000)
        var count = 0
        while stage.seconds < 86_000 {
            #expect(stage.fail(503) == [])
            #expect(stage.run(60).filter { $0.hasPrefix("mint") }.count == 1)
            count += 1
        }
        #expect(count > 50)
        #expect(stage.answer().contains("token 2"))
    }

    @Test func `a refused renewal is tried again each minute, and at once for a call without a token`() {
        var stage = RESTStage()
        stage.machine.userJoined()
        _ = stage.call() + stage.answer() + stage.answer()
        _ = stage.run(80_000)
        #expect(stage.fail(401) == [])
        #expect(stage.run(59) == [])
        #expect(stage.run(17) == ["mint 4"])
        #expect(stage.fail(401) == [])
        stage.pass(10)
        _ = stage.machine.tokenDiscarded(TokenID(rawValue: 1), now: stage.now)
        #expect(stage.call() == ["mint 5"])
    }

    // MARK: - The host's tokens

    @Test func `the host is asked with the reason`() {
        var stage = RESTStage(.host)
        stage.machine.userJoined()
        #expect(stage.call() == ["ask 1 first"])
        #expect(stage.answer(.success(.token(SecretBytes("a"), lifetime: .seconds(1_000)))).contains("token 1"))
        #expect(stage.answer() == ["answer 1 with 1"])
        #expect(stage.run(920) == ["ask 3 renewal"])
        #expect(stage.answer(.success(.token(SecretBytes("b"), lifetime: nil))).contains("token 2"))
        _ = stage.call()
        #expect(stage.fail(401) == ["ask 5 refused"])
    }

    @Test func `the refused token again ends the calls (77)`() {
        var stage = RESTStage(.host)
        _ = stage.call() + stage.answer(.success(.token(SecretBytes("a"), lifetime: nil)))
        stage.pass(10)
        #expect(stage.fail(401) == ["ask 3 refused"])
        #expect(stage.answer(.success(.token(SecretBytes("a"), lifetime: nil))) == ["fail 1 noToken"])
        #expect(RESTFailure.sameToken.failure.reason == .httpUnauthorized)
    }

    @Test func `the present token again, before its end, is asked for later`() {
        var stage = RESTStage(.host)
        stage.machine.userJoined()
        _ = stage.call() + stage.answer(.success(.token(SecretBytes("a"), lifetime: .seconds(1_000)))) + stage.answer()
        #expect(stage.run(920) == ["ask 3 renewal"])
        #expect(stage.answer(.success(.token(SecretBytes("a"), lifetime: .seconds(50)))) == [])
        #expect(stage.run(75) == ["ask 4 renewal"])
        _ = stage.answer(.success(.token(SecretBytes("a"), lifetime: .seconds(50))))
        stage.pass(10)
        // It has ended.
        #expect(stage.call().filter { $0.hasPrefix("send") } == [])
    }

    @Test func `a host that has another token is asked for it at once, while a channel needs one`() throws {
        var stage = RESTStage(.host)
        _ = stage.call() + stage.answer(.success(.token(SecretBytes("a"), lifetime: nil))) + stage.answer()
        stage.pass(10)
        #expect(stage.machine.renewalRequested(now: stage.now) == [])
        stage.machine.userJoined()
        let actions = stage.machine.renewalRequested(now: stage.now)
        guard case .ask(let request, .renewal)? = actions.first else { return #expect(Bool(false), "\(actions)") }
        let answer = stage.machine.answered(
            request, .success(.token(SecretBytes("b"), lifetime: nil)), now: stage.now)
        #expect(
            answer.contains { if case .tokenChanged(let token) = $0 { token.value == SecretBytes("b") } else { false } }
        )
    }

    @Test func `a host without a token ends the calls`() {
        var stage = RESTStage(.host)
        _ = stage.call()
        #expect(stage.answer(.failure(.noToken("there is none"))) == ["fail 1 noToken"])
    }

    // MARK: - A kept token

    @Test func `a kept token makes no request (trap 6)`() {
        var stage = RESTStage(.client(isExclusive: false))
        stage.machine.restore(SecretBytes("kept"), lifetime: .seconds(5_000), now: stage.now)
        #expect(stage.call() == ["tell token 5000", "send 1 POST with 1"])
        #expect(stage.fail(401) == ["mint 2"])
    }

    @Test func `a kept token that has ended is not used`() {
        var stage = RESTStage(.client(isExclusive: false))
        stage.machine.restore(SecretBytes("kept"), lifetime: .seconds(5), now: stage.now)
        stage.pass(5)
        #expect(stage.call() == ["mint 1"])
    }

    // MARK: - The end

    @Test func `leaving cancels what is under way, and nothing follows`() {
        var stage = RESTStage()
        stage.machine.userJoined()
        _ = stage.call()
        #expect(stage.close() == ["cancel 1"])
        #expect(stage.answer(request: 1) == [])
        stage.pass(1)
        _ = stage.call() + stage.answer()
        _ = stage.call(.describeToken)
        stage.machine.userLeft()
        #expect(stage.close() == ["cancel 3", "cancel 4"])
        #expect(stage.run(1_000_000) == [])
    }

    @Test func `after everything was left the token is still good, and the interval between two holds`() {
        var stage = RESTStage()
        _ = stage.call() + stage.answer() + stage.answer() + stage.close()
        #expect(stage.call() == ["send 3 POST with 1"])
        var asking = RESTStage()
        #expect(asking.call() == ["mint 1"])
        #expect(asking.close() == ["cancel 1"])
        #expect(asking.call() == [])
        #expect(asking.run(1) == ["mint 2"])
    }

    @Test func `a canceled call is not answered`() {
        var stage = RESTStage()
        _ = stage.call()
        #expect(stage.cancel(1) == [])
        #expect(stage.answer() == ["tell token 86400", "keep 1", "token 1"])
        _ = stage.call()
        #expect(stage.cancel(2) == ["cancel 2"])
        #expect(stage.answer(request: 2) == [])
        #expect(stage.cancel(2) == [])
    }
}
