import GenesysLoop
import Testing

@testable import GenesysPlatform

/// The owner of a channel, when several callers of one account make channels.
@Suite struct OwnershipTests {
    private func started() -> RESTStage {
        var stage = RESTStage()
        _ = stage.call(.describeToken) + stage.answer() + stage.answer()
        return stage
    }

    @Test func `channels are not listed while one is being created, and none is created during a list`() {
        var stage = started()
        #expect(stage.call(.createChannel) == ["send 3 POST with 1"])
        #expect(stage.call(.listChannels) == [])
        #expect(stage.call(.createChannel) == ["send 4 POST with 1"], "creations do not wait for each other")
        #expect(stage.answer(request: 4) == ["answer 4 with 1"])
        #expect(stage.answer(request: 3) == ["answer 2 with 1", "send 5 GET with 1"])
        #expect(stage.call(.createChannel) == [])
        #expect(stage.call(.listChannels) == ["send 6 GET with 1"], "nor do lists")
        #expect(stage.answer(request: 5) == ["answer 3 with 1"])
        #expect(stage.answer(request: 6) == ["answer 6 with 1", "send 7 POST with 1"])
    }

    @Test func `what a call waits for may also fail, or be abandoned`() {
        var stage = started()
        _ = stage.call(.createChannel) + stage.call(.listChannels)
        #expect(stage.fail(403) == ["fail 2 forbidden", "send 4 GET with 1"])
        _ = stage.answer() + stage.call(.createChannel) + stage.call(.listChannels)
        #expect(stage.cancel(4) == ["cancel 5"])
        #expect(stage.run(0) == ["send 6 GET with 1"])
    }

    @Test func `a list says which channels belong to a caller`() {
        var stage = started()
        func channel(_ name: String) -> ListedChannel {
            ListedChannel(id: SecretBytes(name), uri: SecretBytes("wss://x/channels/\(name)"), remaining: nil)
        }
        _ = stage.call(.createChannel) + stage.answer(.success(.channel(channel("made"))))
        _ = stage.call(.setTopics([], of: SecretBytes("found"))) + stage.answer()
        _ = stage.call(.listChannels)
        _ = stage.answer(.success(.channels(["made", "found", "unknown"].map(channel))))
        #expect(stage.claimed == [SecretBytes("made"), SecretBytes("found")])
        for number in 0..<100 { stage.machine.claim(SecretBytes("\(number)")) }
        #expect(stage.machine.claimed.count == 40, "an older one was in the list before a creation")
    }

    @Test func `a channel that belongs to another caller is not adopted`() {
        var stage = ProvisionedStage()
        _ = stage.start() + stage.answer() + stage.fail(504)
        let list = RESTValue.channels([ProvisionedStage.listed("theirs")])
        #expect(stage.reply(.success(list), claimed: [SecretBytes("theirs")]) == [])
        #expect(stage.run(5) == ["call 4 POST"])
        var own = ProvisionedStage()
        _ = own.start() + own.answer() + own.fail(504)
        let both = RESTValue.channels([ProvisionedStage.listed("theirs"), ProvisionedStage.listed("c9")])
        #expect(
            own.reply(.success(both), claimed: [SecretBytes("theirs")]) == ["made 2/2", "call 4 PUT with 1"])
    }

    @Test func `a channel without topics that was found is claimed by a call`() {
        var stage = ProvisionedStage(topics: [])
        _ = stage.start() + stage.answer() + stage.fail(504)
        #expect(
            stage.reply(.success(.channels([ProvisionedStage.listed("c1")]))) == ["made 1/1", "call 4 PUT with 1"])
        #expect(stage.answer() == ["open c1"])
    }
}
