import GenesysLoop
import Testing

@testable import GenesysPlatform

/// When calls are tried again, and how fast they follow each other. Scenes and traps: platform sheet §8, §7.
@Suite struct RateTests {
    private func started() -> RESTStage {
        var stage = RESTStage()
        _ = stage.call() + stage.answer() + stage.answer()
        return stage
    }

    @Test func `429 with Retry-After 7: silence on all calls for 7 s, then one after the other (scene 4)`() {
        var stage = started()
        for _ in 0..<20 { _ = stage.call(.listChannels) }
        #expect(stage.fail(429, retryAfter: 7) == ["tell throttled 7"])
        for _ in 0..<19 { _ = stage.answer() }
        for _ in 0..<19 { #expect(stage.call(.listChannels) == []) }
        #expect(stage.run(6.99) == [])
        var times: [Double] = []
        while times.count < 20, stage.seconds < 20 {
            let words = stage.run(0.01)
            times += words.map { _ in stage.seconds }
        }
        #expect(times.count == 20)
        let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
        #expect(gaps.max() ?? 9 < 0.2)
        #expect(Set(times).count >= 15, "spread, not all at once")
    }

    @Test func `429 without Retry-After waits 3 s`() {
        var stage = started()
        _ = stage.call(.listChannels)
        #expect(stage.fail(429) == ["tell throttled 3"])
        #expect(stage.run(2.99) == [])
        #expect(stage.run(1).count == 1)
    }

    @Test func `Retry-After of hours is reported, and waited for only where the limit allows it (trap 12)`() {
        var stage = started()
        _ = stage.call(.listChannels, for: 60)
        _ = stage.call(.listChannels)
        _ = stage.call(.listChannels, for: 10_000)
        #expect(stage.fail(429, retryAfter: 7_200) == ["tell throttled 7200", "fail 2 throttled"])
        // A new call fails at once too.
        #expect(stage.call(.listChannels, for: 60) == ["fail 5 throttled"])
        _ = stage.answer() + stage.answer()
        #expect(stage.call(.listChannels) == [])
        #expect(stage.run(7_199) == [])
        #expect(stage.run(2).count == 1)
    }

    @Test func `a call that waits for hours fails when it gets a limit before then`() {
        var stage = started()
        _ = stage.call(.listChannels) + stage.fail(429, retryAfter: 7_200)
        #expect(stage.limit(2, in: 8_000) == [])
        #expect(stage.limit(2, in: 900) == ["fail 2 throttled"])
    }

    @Test func `a call that is refused while another one has closed the gate for hours fails too`() {
        var stage = started()
        _ = stage.call(.listChannels, for: 60) + stage.call(.listChannels, for: 60)
        #expect(stage.fail(429, retryAfter: 7_200) == ["tell throttled 7200", "fail 2 throttled"])
        #expect(stage.fail(429, retryAfter: 1) == ["fail 3 throttled"])
    }

    @Test func `calls that end with the refusal of another one do not take its place`() {
        var stage = started()
        _ = stage.call(.listChannels, for: 60) + stage.call(.listChannels) + stage.call(.listChannels)
        #expect(stage.fail(429) == ["tell throttled 3"])
        // The first call waits, and ends because its limit is earlier than the new end of the gate.
        #expect(stage.fail(429, retryAfter: 7_200) == ["tell throttled 7200", "fail 2 throttled"])
        #expect(stage.run(7_199) == [])
        #expect(stage.answer() == ["answer 4 with 1"])
        #expect(stage.run(2).count == 1)
    }

    @Test func `a closed gate stays closed for the calls of a channel that has the old token`() {
        var stage = RESTStage()
        _ = stage.call() + stage.answer() + stage.answer()
        let old = stage.machine.tokens.current
        stage.machine.userJoined()
        _ = stage.call(.listChannels) + stage.fail(429, retryAfter: 100) + stage.cancel(2)
        while stage.mintCount < 2 { _ = stage.run(60) }
        #expect(stage.call(.listChannels, token: old) == ["send 5 GET with 1"])
        _ = stage.fail(429, retryAfter: 100, request: 5) + stage.cancel(3) + stage.answer(request: 4)
        #expect(stage.call(.describeToken).count == 1, "the new token has a pace of its own")
        #expect(stage.call(.removeTopics(of: RESTStage.id), token: old) == [])
    }

    @Test func `503 three times, then 200 (scene 5)`() {
        var stage = started()
        _ = stage.call(.createChannel, for: 60)
        for _ in 0..<3 {
            #expect(stage.fail(503) == [])
            #expect(stage.run(2.99) == [])
            #expect(stage.run(1.51).count == 1)
        }
        #expect(stage.answer() == ["answer 2 with 1"])
    }

    @Test func `the delays grow as the vendor recommends`() {
        var random = SplitMix64(seed: 1)
        for _ in 0..<100 {
            for (elapsed, base) in [(0, 3), (299, 3), (300, 9), (599, 9), (600, 27), (90_000, 27)] {
                let delay = RetrySchedule.delay(after: .seconds(elapsed), random: &random)
                #expect((.seconds(base) ... .seconds(base) * 3 / 2).contains(delay))
            }
        }
    }

    @Test func `500 is tried once more, and never for a creation`() {
        var stage = started()
        _ = stage.call(.listChannels)
        #expect(stage.fail(500) == [])
        _ = stage.run(5)
        #expect(stage.fail(500) == ["fail 2 serverError"])
        _ = stage.call(.createChannel)
        #expect(stage.fail(500) == ["fail 3 serverError"])
    }

    @Test func `a body that cannot be used is tried once more`() {
        var stage = started()
        _ = stage.call(.listChannels)
        #expect(stage.fail(200, body: "<html>") == [])
        _ = stage.run(5)
        #expect(stage.fail(200, body: "{\"enti") == ["fail 2 unusable"])
    }

    @Test func `a creation with an unknown outcome is not repeated (trap 8)`() {
        var stage = started()
        _ = stage.call(.createChannel)
        #expect(stage.answer(.failure(RESTStage.broken(mayHaveActed: true))) == ["fail 2 transport"])
        _ = stage.call(.createChannel)
        #expect(stage.fail(504) == ["fail 3 unavailable"])
        _ = stage.call(.createChannel)
        #expect(stage.fail(200, body: "<html>") == ["fail 4 unusable"])
        // What did not act is repeated.
        _ = stage.call(.createChannel)
        #expect(stage.fail(503) == [])
        #expect(stage.run(5).count == 1)
        #expect(stage.answer(.failure(RESTStage.broken(.connect))) == [])
        #expect(stage.run(5).count == 1)
    }

    @Test(arguments: [403, 404, 400, 302])
    func `what does not pass is not repeated`(status: Int) {
        var stage = started()
        _ = stage.call(.setTopics([], of: RESTStage.id))
        #expect(stage.fail(status).first?.hasPrefix("fail 2") == true)
    }

    @Test func `a failed connection is tried again, a refused certificate is not`() {
        var stage = started()
        _ = stage.call(.listChannels)
        #expect(stage.answer(.failure(RESTStage.broken(.timeout))) == [])
        #expect(stage.run(5).count == 1)
        #expect(stage.answer(.failure(RESTStage.broken(.tlsUnknownIssuer))) == ["fail 2 transport"])
    }

    @Test func `the last attempt starts at the limit`() {
        var stage = started()
        let start = stage.seconds
        _ = stage.call(.listChannels, for: 10)
        var times: [Double] = []
        var words: [String] = []
        while !words.contains("fail 2 unavailable"), stage.seconds < 100 {
            words += stage.fail(503)
            times.append(stage.seconds - start)
            while stage.open.isEmpty, stage.seconds < 100, !words.contains("fail 2 unavailable") {
                words += stage.run(0.001)
            }
        }
        #expect(abs((times.last ?? 0) - 10) < 0.01, "\(times)")
        #expect(times.count >= 3)
    }

    @Test func `a limit of now is one attempt`() {
        var stage = started()
        _ = stage.call(.removeTopics(of: RESTStage.id), for: 0)
        #expect(stage.fail(503) == ["fail 2 unavailable"])
        _ = stage.call(.removeTopics(of: RESTStage.id), for: 0)
        // A clean-up with an ended token asks for no new one.
        #expect(stage.fail(401) == ["fail 3 unauthorized"])
        #expect(stage.mintCount == 1)
    }

    @Test func `a limit that comes later shortens a wait`() {
        var stage = started()
        _ = stage.call(.listChannels)
        _ = stage.fail(503, retryAfter: 1_000)
        #expect(stage.limit(2, in: 5) == [])
        #expect(stage.run(4.9) == [])
        #expect(stage.run(0.2).count == 1)
    }

    @Test func `with less than a tenth of the rate left calls are spread over the rest of the period`() {
        var stage = started()
        _ = stage.call(.listChannels)
        _ = stage.answer(rate: RESTAnswer.Rate(count: 275, allowed: 300, reset: .seconds(26)))
        let start = stage.seconds
        for _ in 0..<40 { _ = stage.call(.listChannels) }
        var times: [Double] = []
        while times.count < 40, stage.seconds < 200 {
            times += stage.run(0.1).map { _ in stage.seconds - start }
        }
        #expect(times.filter { $0 < 26 }.count <= 26, "\(times)")
        #expect(times.count == 40)
        #expect(times.allSatisfy { $0 < 30 }, "what does not fit into the period comes soon after it: \(times)")
        // With room again nothing waits.
        _ = stage.answer(rate: RESTAnswer.Rate(count: 1, allowed: 300, reset: .seconds(60)))
        #expect(stage.call(.listChannels).count == 1)
    }

    @Test func `another token has a gate of its own`() {
        var stage = started()
        _ = stage.call(.listChannels)
        _ = stage.fail(429, retryAfter: 100)
        _ = stage.machine.tokenDiscarded(TokenID(rawValue: 1), now: stage.now)
        stage.pass(20)
        #expect(stage.call(.listChannels).first?.hasPrefix("mint") == true)
        #expect(stage.answer().last?.hasPrefix("send") == true)
    }
}
