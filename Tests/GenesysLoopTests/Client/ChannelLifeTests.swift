import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(1)))) struct ChannelLifeTests {
    // MARK: - close()

    /// How far a channel comes before it is closed.
    enum Reach: CaseIterable {
        case idle, resolving, connecting, securing, upgrading, subscribing, live, closing, waiting
    }

    @Test(arguments: Reach.allCases)
    func `close() is answered once in every phase, and leaves nothing open`(reach: Reach) throws {
        let script: [Step] =
            switch reach {
            case .idle, .resolving, .connecting: []
            case .securing: [.deaf, .clientEnd]
            case .upgrading: [.request]
            case .subscribing: Step.upgrade + [.message]
            case .live, .closing: Step.subscription
            case .waiting: [.request, .bytes(Array("HTTP/1.1 503 Later\r\n\r\n".utf8)), .fin]
            }
        var channel: NotificationChannel?
        let server = try ScriptedServer(UVLoop(), tls: true, script + [.act { channel?.close() }] + Step.goodbye)
        let host = ChannelHost()
        let address = reach == .connecting ? "127.0.0.1" : "localhost"
        let made = try host.channel(to: server, host: address) { $0.reconnect = .backoff(.init()) }
        channel = made
        host.didHear = { channel, event in
            if case .reconnecting = event { channel.close() }
            if reach == .closing, event == .subscribed { channel.close() }
        }
        if reach != .idle { made.open() }
        let watch = TimerProbe(server.loop) { watch in
            guard made.core.links.first?.phase == .securing else { return watch.start(after: .milliseconds(1)) }
            watch.drop()
            made.close()
        }
        switch reach {
        case .idle:
            made.close()
        case .resolving, .connecting:
            // The pass of `open()`, which also resolves a numeric address.
            server.loop.inPass {}
            #expect(made.core.links.first?.phase == (reach == .resolving ? .resolving : .connecting))
            made.close()
        case .securing:
            watch.start(after: .milliseconds(1))
        case .upgrading, .subscribing, .live, .closing, .waiting:
            watch.drop()
        }
        if [.idle, .resolving, .connecting].contains(reach) { watch.drop() }
        server.run()
        host.forget()
        channel = nil
        #expect(host.events.last == .closed)
        #expect(host.events.filter { $0 == .closed }.count == 1)
        #expect(host.openCountAtEnd == 0)
        #expect(host.failure == nil)
        // A closed channel stays closed.
        made.open()
        made.close()
        #expect(server.loop.openObjects.isEmpty)
    }

    @Test func `a failure that could not be told yet when the host closes is not told any more`() throws {
        let server = try ScriptedServer(
            UVLoop(), tls: true, Step.subscription + [.frame(first: 0x83, second: 0), .closeFrame, .stopReading])
        let host = ChannelHost()
        let channel = try host.channel(to: server) { $0.deadlines.close = .milliseconds(50) }
        channel.open()
        let watch = TimerProbe(server.loop) { watch in
            guard channel.driver.end != nil || host.failure != nil else {
                return watch.start(after: .milliseconds(1))
            }
            watch.drop()
            channel.close()
        }
        watch.start(after: .milliseconds(1))
        server.run()
        host.forget()
        #expect(host.events == [.subscribed, .closed])
    }

    // MARK: - References

    @Test func `a channel that is dropped before open() is gone without a word`() throws {
        let server = try ScriptedServer(UVLoop(), [])
        let host = ChannelHost()
        weak var channel: NotificationChannel?
        do {
            let made = try host.channel(to: server)
            channel = made
        }
        #expect(channel == nil)
        server.clientDidFinish()
        #expect(host.events.isEmpty)
    }

    @Test(arguments: [
        Step.subscription + [.notify(1)] + Step.goodbye,
        Step.subscription + [.frame(first: 0x83, second: 0), .closeFrame, .fin],
        Step.subscription + [.reset], [.request, .fin], [.fin],
    ])
    func `after the terminal call nothing of a channel is left`(script: [Step]) throws {
        let server = try ScriptedServer(UVLoop(), tls: true, script)
        let host = ChannelHost()
        weak var channel: NotificationChannel?
        weak var link: Link?
        weak var tcp: TCPConnection?
        weak var tls: TLSSession?
        weak var connector: Connector?
        weak var timer: GenesysLoop.Timer?
        host.didHear = { _, event in
            guard event == .subscribed else { return }
            link = channel?.core.links.first
            (tcp, tls, timer) = (link?.tcp, link?.tls, channel?.core.handles.timer)
            #expect(tcp != nil && tls != nil && timer != nil)
        }
        host.didReceive = { channel, _ in channel.close() }
        do {
            let made = try host.channel(to: server)
            channel = made
            made.open()
        }
        server.loop.inPass {
            link = channel?.core.links.first
            connector = link?.establishment?.connector
        }
        server.run()
        host.forget()
        #expect(host.openCountAtEnd == 0)
        #expect(channel == nil && link == nil && tcp == nil && tls == nil && connector == nil && timer == nil)
    }

    @Test func `a delegate that is gone closes the channel at the next delivery`() throws {
        let loop = try UVLoop()
        var host: ChannelHost? = ChannelHost()
        let server = try ScriptedServer(
            loop, tls: true, Step.subscription + [.act { host = nil }, .turn, .notify(1)] + Step.goodbye + [.clientEnd])
        weak var channel: NotificationChannel?
        do {
            let made = try host?.channel(to: server)
            channel = made
            made?.open()
        }
        let watch = TimerProbe(loop) { watch in
            guard channel == nil else { return watch.start(after: .milliseconds(1)) }
            server.clientDidFinish()
            watch.drop()
        }
        watch.start(after: .milliseconds(1))
        server.run()
        #expect(channel == nil)
        #expect(try server.first.closeCodes == [.normal])
    }

    @Test func `a callback may let go of everything`() throws {
        let server = try ScriptedServer(UVLoop(), Step.subscription + [.notify(1), .notify(2)] + Step.goodbye)
        let host = ChannelHost()
        var channel: NotificationChannel?
        channel = try host.channel(to: server)
        host.didReceive = { sender, number in
            channel = nil
            if number == 2 { sender.close() }
        }
        channel?.open()
        server.run()
        host.forget()
        #expect(host.numbers == [1, 2])
    }

    // MARK: - Loops

    @Test func `a channel may be made and opened inside a callback, and after the loop ran dry`() throws {
        let loop = try UVLoop()
        let script = Step.subscription + [.notify(1)] + Step.goodbye
        for _ in 0..<2 {
            let server = try ScriptedServer(loop, tls: true, script)
            let (host, other) = (ChannelHost(), ChannelHost())
            host.didReceive = { channel, _ in
                _ = try? other.channel(to: server).open()
                channel.close()
            }
            other.didReceive = { channel, _ in channel.close() }
            let channel = try host.channel(to: server)
            host.didEnd = {}
            channel.open()
            server.run()
            host.forget()
            other.forget()
            #expect(host.events == [.subscribed, .closed])
            #expect(other.events == [.subscribed, .closed])
        }
    }

    @Test func `plain ws: needs no trust store`() throws {
        let server = try ScriptedServer(UVLoop(), Step.subscription + [.notify(1)] + Step.goodbye)
        let host = ChannelHost()
        host.didReceive = { channel, _ in channel.close() }
        try host.run(on: server) { $0.tls.trust = .file("/nonexistent/ca.pem") }
        #expect(host.events == [.subscribed, .closed])
    }
}
