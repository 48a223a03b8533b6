import Testing

@testable import GenesysLoop

/// Happy eyeballs on real sockets (RFC 8305).
@Suite(.timeLimit(.minutes(patience(1)))) struct ConnectorTests {
    @Test(arguments: [false, true])
    func `an address that keeps silent gives way after a moment, not after its deadline`(tls: Bool) throws {
        let silent = try #require(SilentAddress())
        let server = try ScriptedServer(EventLoop(), tls: tls, Step.upgrade + [.text("a"), .fin])
        let addresses = [silent.address, SocketAddress(numeric: "127.0.0.1", port: server.port)].compactMap(\.self)
        server.loop.resolver.lookup = { _, _ in .success(addresses) }
        let probe = LinkProbe(server)
        // The deadline would end it long before the kernel gives up.
        try probe.run { $0.connect = .seconds(30) }
        #expect(probe.texts == ["a"])
        #expect(probe.finishCount == 1)
    }

    @Test func `when nobody answers in time the failure names each address, and what became of it`() throws {
        let silent = try #require(SilentAddress())
        let server = try ScriptedServer(EventLoop(), [])
        let port = server.port
        server.clientDidFinish()
        let addresses = [silent.address, SocketAddress(numeric: "127.0.0.1", port: port)].compactMap(\.self)
        server.loop.resolver.lookup = { _, _ in .success(addresses) }
        let probe = LinkProbe(server)
        try probe.run { $0.connect = .milliseconds(600) }
        let failure = try #require(probe.end).failure
        #expect(failure.reason == .timeout)
        #expect(failure.phase == .connect)
        #expect(failure.underlying?.text == "127.0.0.1:\(port): connection refused; \(silent.address): no answer")
    }

    @Test func `a link that is dropped while several addresses are tried leaves nothing behind`() throws {
        let silent = [try #require(SilentAddress()), try #require(SilentAddress())]
        let addresses = silent.map(\.address)
        let loop = try EventLoop()
        let group = HandleGroup(loop: loop)
        let hook = DroppingOwner(loop)
        loop.resolver.lookup = { _, _ in .success(addresses) }
        let configuration = LinkConfiguration(
            context: nil, deadlines: Deadlines(), limits: MessageLimits(maxMessageByteCount: 1_000))
        hook.link = Link(
            id: LinkID(rawValue: 1), uri: try WebSocketURI("ws://example.invalid/"), configuration: configuration,
            loop: loop, group: group, owner: hook)
        hook.link?.connect()
        // Ends when no handle is left: a forgotten attempt would hold it.
        loop.run()
        #expect(hook.finishCount == 1)
    }
}

/// Drops its link when the second address is under way.
private final class DroppingOwner: LinkOwner, TimerOwner {
    var link: Link?
    private(set) var finishCount = 0
    private let loop: EventLoop
    private var timer: Timer?

    init(_ loop: EventLoop) { self.loop = loop }

    func linkDidChangeDeadline(_ link: Link) {
        guard link.phase == .connecting, timer == nil else { return }
        timer = Timer(loop: loop, group: HandleGroup(loop: loop), owner: self)
        timer?.start(at: loop.now.instant + .milliseconds(300))
    }

    func timerDidFire(_ timer: Timer) {
        #expect(link?.phase == .connecting)
        link?.drop()
        self.timer?.close()
    }

    func linkDidOpen(_ link: Link) {}
    func linkDidReceive(_ link: Link) {}
    func linkDidDrain(_ link: Link) {}
    func link(_ link: Link, didEnd end: LinkEnd) {}

    func linkDidFinish(_ link: Link) {
        finishCount += 1
        self.link = nil
    }
}
