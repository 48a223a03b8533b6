import GenesysLoop
import Testing

@testable import genesys_loop

@Suite struct ChannelObstacleTests {
    @Test(arguments: ChannelState.allCases)
    func `a channel without an obstacle is one that is subscribed`(state: ChannelState) {
        #expect((state.obstacle(nil) == nil) == state.isSubscribed)
    }

    @Test func `an obstacle is one line, with the last attempt and its reason but not its sentence`() throws {
        let failure = ChannelFailure(reason: .timeout, phase: .connect)
        let attempt = ReconnectAttempt(number: 7, delay: .seconds(1), failure: failure)
        for state in ChannelState.allCases where !state.isSubscribed {
            let text = try #require(state.obstacle(attempt))
            #expect(!text.contains("\n") && text.hasSuffix("."))
            let isTrying = state == .idle || state == .connecting || state == .recovering
            #expect(text.hasSuffix(" (attempt 7, timeout).") == isTrying)
        }
    }
}
