import GenesysSimulator
import Testing

@testable import GenesysLoop
@testable import GenesysPlatform

/// Notifications that come in one pass of the loop: their delegate is held until the pass ends.
@Suite struct BurstTests {
    /// A delegate of either kind, which does something at its tenth notification.
    private final class Host: ChannelGroupDelegate, ProvisionedChannelDelegate {
        private(set) var count = 0
        var atTenth: () -> Void = {}

        func group(_ group: ChannelGroup, didReceive notification: ChannelNotification, on shard: Int) { received() }
        func channel(_ channel: ProvisionedChannel, didReceive notification: ChannelNotification) { received() }
        func group(_ group: ChannelGroup, didFail failure: ChannelFailure) {}
        func channel(_ channel: ProvisionedChannel, didFail failure: ChannelFailure) {}
        func group(_ group: ChannelGroup, didMiss gap: Gap, on shard: Int) {}
        func channel(_ channel: ProvisionedChannel, didMiss gap: Gap) {}
        func channel(_ channel: ProvisionedChannel, willExpire expiry: Expiry) {}

        private func received() {
            count += 1
            if count == 10 { atTenth() }
        }
    }

    /// A host with its channel, or its group, that is subscribed.
    private struct Scene {
        let stage: GroupStage
        let removeDelegate: () -> Void
        let state: () -> ChannelState

        init(isGroup: Bool, _ host: Host) throws {
            let stage = try GroupStage()
            self.stage = stage
            if isGroup {
                let group = try stage.makeGroup(GroupStage.topics(1))
                group.delegate = host
                removeDelegate = { group.delegate = nil }
                state = { group.state }
                group.open()
            } else {
                let channel = try stage.base.makeChannel(GroupStage.topics(1))
                channel.delegate = host
                removeDelegate = { channel.delegate = nil }
                state = { channel.state }
                channel.open()
            }
            let isSubscribed = state
            try stage.run { isSubscribed() == .subscribed }
        }

        /// Publishes notifications that the channel reads at once.
        func publish(_ count: Int) {
            for _ in 0..<count { stage.server.publish(eventBody: Array("{}".utf8), to: GroupStage.topics(1)[0]) }
        }
    }

    @Test(arguments: [true, false]) func `all of a burst are delivered`(isGroup: Bool) throws {
        let host = Host()
        let scene = try Scene(isGroup: isGroup, host)
        scene.publish(50)
        try scene.stage.run { host.count == 50 }
        scene.stage.loop.closeAll()
        try scene.stage.run { scene.state() == .ended }
        scene.stage.leave()
    }

    @Test(arguments: [true, false])
    func `a delegate that is removed within a burst receives nothing more`(isGroup: Bool) throws {
        let host = Host()
        let scene = try Scene(isGroup: isGroup, host)
        host.atTenth = scene.removeDelegate
        scene.publish(50)
        try scene.stage.run { scene.state() == .ended }
        #expect(host.count == 10)
        host.atTenth = {}
        scene.stage.leave()
    }

    @Test(arguments: [true, false])
    func `a delegate that is dropped within a burst is gone after it, and the next delivery closes`(
        isGroup: Bool
    ) throws {
        var host: Host? = Host()
        weak let dropped = host
        let scene = try Scene(isGroup: isGroup, try #require(host))
        host?.atTenth = { host = nil }
        scene.publish(50)
        try scene.stage.run { dropped == nil }
        #expect(scene.state() == .subscribed)
        scene.publish(1)
        try scene.stage.run { scene.state() == .ended }
        scene.stage.leave()
    }
}
