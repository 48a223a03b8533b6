import Testing

@testable import GenesysLoop

/// Connects, and fires the timer late in one phase, as a blocked loop does.
private final class LateOwner: LinkOwner {
    private let server: ScriptedServer
    private let phase: Link.Phase
    private var link: Link?
    private(set) var isLate = false
    private(set) var isOpened = false
    private(set) var end: LinkEnd?

    init(_ server: ScriptedServer, lateIn phase: Link.Phase) {
        self.server = server
        self.phase = phase
    }

    func run() throws {
        let uri = try WebSocketURI(server.uri("localhost"))
        let context = uri.isSecure ? try TLSContext(client: ScriptedServer.trust()) : nil
        let configuration = LinkConfiguration(
            context: context, deadlines: Deadlines(), limits: MessageLimits(maxMessageByteCount: 1_000))
        let link = Link(
            id: LinkID(rawValue: 1), uri: uri, configuration: configuration, loop: server.loop,
            group: HandleGroup(loop: server.loop), owner: self)
        self.link = link
        link.connect()
        server.run()
    }

    func linkDidChangeDeadline(_ link: Link) {
        guard link.phase == phase, !isLate, let deadline = link.deadline else { return }
        isLate = true
        link.deadlineReached(now: deadline + .seconds(5))
    }

    func linkDidOpen(_ link: Link) {
        isOpened = true
        link.flush()
    }

    func linkDidReceive(_ link: Link) { link.discardInput() }
    func linkDidDrain(_ link: Link) {}
    func link(_ link: Link, didEnd failure: LinkFailure) { end = LinkEnd(failure) }

    func linkDidFinish(_ link: Link) {
        self.link = nil
        server.clientDidFinish()
    }
}

@Suite(.timeLimit(.minutes(patience(1)))) struct LinkDeadlineTests {
    @Test(arguments: [false, true], [Link.Phase.connecting, .upgrading])
    func `an answer that lies unread before a blocked host is not late`(tls: Bool, phase: Link.Phase) throws {
        let server = try ScriptedServer(UVLoop(), tls: tls, Step.upgrade + [.close(.normal, ""), .fin])
        let owner = LateOwner(server, lateIn: phase)
        try owner.run()
        #expect(owner.isLate)
        #expect(owner.isOpened)
        #expect(owner.end?.failure.reason != .timeout)
    }
}
