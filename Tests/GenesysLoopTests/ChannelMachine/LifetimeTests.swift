import Testing

@testable import GenesysLoop

@Suite struct LifetimeTests {
    /// The actions of `live` without the pings.
    private func quietly(_ stage: inout Stage, _ duration: Duration) -> String {
        words(stage.live(duration))
    }

    @Test func `the channel is extended after 23 hours, again and again`() {
        var stage = Stage.live()
        for count in 1...3 {
            #expect(quietly(&stage, .seconds(23 * 3600 - 1)) == "")
            #expect(quietly(&stage, .seconds(1)) == "subscribe 1")
            let recovery = stage.accept(.first).recoveries.first
            #expect(recovery?.method == .extension)
            #expect(recovery?.extensionCount == count)
        }
    }

    @Test func `a refused extension is tried once more, then the host may act, and the channel goes on`() {
        var stage = Stage.live { $0.lifetime = .seconds(1_000) }
        let confirmed = stage.now.wall
        stage.live(.seconds(1_000))
        #expect(words(stage.refuse(.first, 500)) == "subscribe 1")
        let told = stage.refuse(.first, 500)
        #expect(told == [.tell(.willExpire(.lifetime(deadline: confirmed + .seconds(24 * 3600))))])
        #expect(stage.message(.first, 1) == .deliver)
        #expect(quietly(&stage, .seconds(5_000)) == "")
        let end = stage.ended(.first, .closed(1000))
        #expect(words(end) == "failed recovery.lifetimeExtension channelExpired")
    }

    @Test func `an unanswered extension is tried once more`() {
        var stage = Stage.live { $0.lifetime = .seconds(1_000) }
        stage.live(.seconds(1_000))
        #expect(quietly(&stage, .seconds(20)) == "subscribe 1, subscribe 1, subscribe 1, willExpire lifetime")
    }

    @Test func `with extension off, the host is told and the end is called an expiry`() {
        var stage = Stage.live {
            $0.lifetime = .seconds(1_000)
            $0.extendsLifetime = false
        }
        #expect(quietly(&stage, .seconds(1_000)) == "willExpire lifetime")
        #expect(quietly(&stage, .seconds(100)) == "", "once")
        #expect(words(stage.ended(.first, .reset)) == "failed receive channelExpired")
    }

    @Test func `an expiry has the reason of the Close frame that ended it`() {
        var stage = Stage.live {
            $0.lifetime = .seconds(1_000)
            $0.extendsLifetime = false
        }
        _ = quietly(&stage, .seconds(1_100))
        let frame = CloseFrame(code: .normal, reason: "over", safeReason: "over")
        guard case .finish(.failed(let failure))? = stage.ended(.first, LinkEnd(.closed(frame, during: .open))).last
        else {
            Issue.record("not a failure")
            return
        }
        #expect(failure.description.contains("its life of 24 hours ended: “over”."))
    }

    @Test func `a host that rolls over in time is safe`() {
        var stage = Stage.live {
            $0.lifetime = .seconds(1_000)
            $0.extendsLifetime = false
        }
        stage.live(.seconds(1_000))
        stage.rollover(to: .other)
        stage.connect(.second)
        stage.wait(.seconds(2))
        #expect(stage.ended(.second, .reset).attempts.count == 1)
    }

    @Test func `a host's new channel is tried again even when the expired one ended`() {
        var stage = Stage.live {
            $0.lifetime = .seconds(1_000)
            $0.extendsLifetime = false
        }
        stage.live(.seconds(1_000))
        stage.rollover(to: .other)
        #expect(words(stage.ended(.first, .closed(1000))) == "willReconnect #1 connectionClosed")
        #expect(words(stage.ended(.second, .refused)) == "willReconnect #2 connect")
        stage.wait(.seconds(2))
        let end = stage.ended(.third, .status(404))
        #expect(words(end) == "didFailRollover httpNotFound, failed receive channelExpired")
    }

    @Test func `an expired channel is not tried again when a socket of its own fails`() {
        var stage = Stage.live {
            $0.lifetime = .seconds(1_000)
            $0.extendsLifetime = false
        }
        stage.live(.seconds(1_000))
        stage.announceMaintenance()
        stage.ended(.first, .reset)
        #expect(words(stage.ended(.second, .refused)) == "failed receive channelExpired")
    }

    @Test func `a reconnect renews the life, and one lost during the extension does too`() {
        var stage = Stage.live { $0.lifetime = .seconds(1_000) }
        stage.live(.seconds(1_000))
        stage.ended(.first, .reset)
        stage.wait(.seconds(1))
        stage.connect(.second)
        #expect(quietly(&stage, .seconds(900)) == "")
        #expect(quietly(&stage, .seconds(100)) == "subscribe 2")
        #expect(stage.accept(.second).recoveries.count == 1)
    }

    @Test func `an outage across the due time asks for nothing and ends in a renewal`() {
        var stage = Stage.live { $0.lifetime = .seconds(100) }
        stage.live(.seconds(90))
        stage.ended(.first, .reset)
        stage.wait(.seconds(2))
        stage.ended(.second, .status(503, retryAfter: .seconds(60)))
        #expect(words(stage.wait(.seconds(60))) == "connect 3 to 0")
        stage.connect(.third)
        #expect(quietly(&stage, .seconds(99)) == "")
    }

    @Test func `a host that slept through the due time extends when it wakes`() {
        var stage = Stage.live()
        stage.live(.seconds(60))
        stage.now.wall = stage.now.wall + .seconds(23 * 3600)
        #expect(words(stage.wait(.seconds(35))).contains("subscribe 1"))
    }

    @Test func `an extension that is due when the link is found dead is not called impossible`() {
        var stage = Stage.live { $0.lifetime = .seconds(43) }
        stage.block(.seconds(1))
        stage.announceMaintenance()
        #expect(words(stage.wait(.milliseconds(41_999))) == "ping 1")
        #expect(words(stage.wait(.milliseconds(1))) == "subscribe 1, drop 1, willReconnect #1 heartbeatLost")
        #expect(stage.machine.state == .attempting)
        stage.check()
    }

    @Test func `without topics the life is the host's affair: it is reminded, and losses stay losses`() {
        var stage = Stage.live(topics: []) { $0.lifetime = .seconds(1_000) }
        #expect(quietly(&stage, .seconds(1_000)) == "willExpire lifetime")
        #expect(quietly(&stage, .seconds(1_000)) == "willExpire lifetime")
        #expect(stage.ended(.first, .reset).attempts.count == 1)
    }

    @Test func `the extension is asked for while the host reads nothing`() {
        var stage = Stage.live { $0.lifetime = .seconds(1_000) }
        stage.pause()
        #expect(words(stage.wait(.seconds(5_000))) == "subscribe 1")
        #expect(words(stage.resume()) == "resume 1")
        #expect(stage.accept(.first).recoveries.first?.method == .extension)
    }

    @Test func `a subscription that was given back renews the life`() {
        var stage = Stage.live { $0.lifetime = .seconds(1_000) }
        stage.live(.seconds(900))
        stage.system(.duplicateID, .first)
        stage.accept(.first)
        #expect(quietly(&stage, .seconds(900)) == "")
    }

    @Test func `added topics renew the life and take the sting out of an older extension`() {
        var stage = Stage.live { $0.lifetime = .seconds(1_000) }
        stage.live(.seconds(1_000))
        stage.setTopics(["v2.a", "v2.b", "v2.c"])
        let extend = stage.machine.current?.pending.first?.correlationID
        let add = stage.machine.current?.pending.last?.correlationID
        stage.reply(CommandReply(correlationID: add, status: 200, statusText: "subscribed"), on: .first)
        #expect(stage.reply(CommandReply(correlationID: extend, status: 500, statusText: "error"), on: .first) == [])
        #expect(quietly(&stage, .seconds(900)) == "")
    }
}
