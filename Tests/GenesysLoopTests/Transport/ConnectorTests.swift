import Testing

@testable import GenesysLoop

/// Happy eyeballs on real sockets (RFC 8305).
@Suite(.timeLimit(.minutes(patience(1)))) struct ConnectorTests {
    @Test(arguments: [false, true])
    func `an address that keeps silent gives way after a moment, not after its deadline`(tls: Bool) throws {
        let silent = try #require(SilentAddress())
        let server = try ScriptedServer(UVLoop(), tls: tls, Step.upgrade + [.text("a"), .fin])
        let addresses = [silent.address, SocketAddress(numeric: "127.0.0.1", port: server.port)].compactMap(\.self)
        server.loop.resolver.lookup = { _ in .success(addresses) }
        let probe = LinkProbe(server)
        // The deadline would end it long before the kernel gives up.
        try withExtendedLifetime(silent) { try probe.run { $0.connect = .seconds(30) } }
        #expect(probe.texts == ["a"])
        #expect(probe.finishCount == 1)
    }

    @Test func `when nobody answers in time the failure names each address, and what became of it`() throws {
        let silent = try #require(SilentAddress())
        let server = try ScriptedServer(UVLoop(), [])
        let port = server.port
        server.clientDidFinish()
        let addresses = [silent.address, SocketAddress(numeric: "127.0.0.1", port: port)].compactMap(\.self)
        server.loop.resolver.lookup = { _ in .success(addresses) }
        let probe = LinkProbe(server)
        try probe.run { $0.connect = .milliseconds(600) }
        let failure = try #require(probe.end).failure
        #expect(failure.reason == .timeout)
        #expect(failure.phase == .connect)
        #expect(failure.underlying?.text == "127.0.0.1:\(port): connection refused; \(silent.address): no answer")
    }

    @Test(arguments: [AddressFamily.ipv4, .ipv6])
    func `a family whose look-up is stuck does not keep the other from being connected`(family: AddressFamily) throws {
        let host = family == .ipv4 ? "127.0.0.1" : "::1"
        guard let server = try? ScriptedServer(UVLoop(), host: host, Step.upgrade + [.text("a"), .fin])
        else { return }  // A machine without IPv6.
        let address = try #require(SocketAddress(numeric: host, port: server.port))
        let gate = Gate()
        server.loop.resolver.lookup = { question in
            if question.family != family { gate.wait() }
            return .success([address])
        }
        let probe = LinkProbe(server)
        try probe.run { $0.dns = .seconds(10) }
        #expect(probe.texts == ["a"])
        #expect(probe.phases.prefix(2) == [.resolving, .connecting])
        #expect(server.loop.resolver.abandonedCount == 1)
        gate.open()
    }

    @Test func `when the address of one family refuses, that of the other is waited for, and tried`() throws {
        guard let server = try? ScriptedServer(UVLoop(), host: "::1", Step.upgrade + [.text("a"), .fin])
        else { return }  // A machine without IPv6.
        let port = server.port
        let gate = Gate()
        server.loop.resolver.lookup = { question in
            // Nothing listens at the same port of 127.0.0.1.
            let address = SocketAddress(numeric: question.family == .ipv4 ? "127.0.0.1" : "::1", port: port)
            if question.family == .ipv6 { gate.wait() }
            return .success([address].compactMap(\.self))
        }
        let probe = LinkProbe(server)
        let timer = TimerProbe(server.loop) { timer in
            timer.drop()
            #expect(probe.link?.phase == .connecting)
            #expect(
                probe.link?.establishment?.connector?.tried == [
                    "127.0.0.1:\(port): connection refused",
                    "further addresses: the system's resolver does not answer",
                ])
            gate.open()
        }
        timer.start(after: .milliseconds(120))
        try probe.run()
        #expect(probe.texts == ["a"])
    }

    @Test func `that one family cannot be looked up is told when the other's addresses fail`() throws {
        let server = try ScriptedServer(UVLoop(), [])
        let port = server.port
        server.clientDidFinish()
        server.loop.resolver.lookup = { question in
            if question.family == .ipv6 {
                return .failure(ResolverError(code: -3, text: "try again", isNoSuchName: false))
            }
            return .success([SocketAddress(numeric: "127.0.0.1", port: port)].compactMap(\.self))
        }
        let probe = LinkProbe(server)
        try probe.run()
        let failure = try #require(probe.end).failure
        #expect(failure.reason == .connect)
        #expect(failure.underlying?.text == "127.0.0.1:\(port): connection refused; IPv6 addresses: try again")
    }

    @Test(arguments: [(true, false), (false, true), (true, true), (false, false)])
    func `when neither family is found the failure says why of both`(isNoName: (ipv6: Bool, ipv4: Bool)) throws {
        let server = try ScriptedServer(UVLoop(), [])
        server.loop.resolver.lookup = { question in
            let isNoSuchName = question.family == .ipv6 ? isNoName.ipv6 : isNoName.ipv4
            return .failure(
                ResolverError(
                    code: isNoSuchName ? -2 : -3, text: isNoSuchName ? "not known" : "try again",
                    isNoSuchName: isNoSuchName))
        }
        let probe = LinkProbe(server)
        try probe.run()
        let failure = try #require(probe.end).failure
        #expect(failure.reason == .dns)
        #expect(failure.phase == .dns)
        // Another attempt is useless only if both families say that the name does not exist.
        #expect(failure.isRetryable == !(isNoName.ipv6 && isNoName.ipv4))
        let texts = [true: "not known", false: "try again"]
        let ipv6 = texts[isNoName.ipv6] ?? ""
        let ipv4 = texts[isNoName.ipv4] ?? ""
        #expect(failure.underlying?.text == (ipv6 == ipv4 ? ipv6 : "IPv6: \(ipv6); IPv4: \(ipv4)"))
    }

    @Test func `a link that is dropped while several addresses are tried leaves nothing behind`() throws {
        let silent = [try #require(SilentAddress()), try #require(SilentAddress())]
        let addresses = silent.map(\.address)
        let loop = try UVLoop()
        let group = HandleGroup(loop: loop)
        let hook = DroppingOwner(loop)
        loop.resolver.lookup = { _ in .success(addresses) }
        let configuration = LinkConfiguration(
            context: nil, deadlines: Deadlines(), limits: MessageLimits(maxMessageByteCount: 1_000))
        hook.link = Link(
            id: LinkID(rawValue: 1), uri: try WebSocketURI("ws://example.invalid/"), configuration: configuration,
            loop: loop, group: group, owner: hook)
        hook.link?.connect()
        // Ends when no handle is left: a forgotten attempt would hold it.
        withExtendedLifetime(silent) { loop.run() }
        #expect(hook.finishCount == 1)
    }
}

/// Drops its link while the second address is being tried.
private final class DroppingOwner: LinkOwner, TimerOwner {
    var link: Link?
    private(set) var finishCount = 0
    private let loop: UVLoop
    private var timer: Timer?

    init(_ loop: UVLoop) { self.loop = loop }

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
    func linkDidReceive(_ link: Link, isDrained: Bool) {}
    func linkDidDrain(_ link: Link) {}
    func link(_ link: Link, didEnd failure: LinkFailure) {}

    func linkDidFinish(_ link: Link) {
        finishCount += 1
        self.link = nil
    }
}
