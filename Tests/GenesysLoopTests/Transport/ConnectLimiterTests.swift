import Testing

@testable import GenesysLoop

@Suite(.timeLimit(.minutes(patience(1)))) struct ConnectLimiterTests {
    /// Opens many links at once to one server, and records how far each comes.
    private final class Crowd: LinkOwner {
        let server: ScriptedServer
        private(set) var links: [Link] = []
        private(set) var opened: [UInt32] = []
        private(set) var ended: [UInt32] = []
        private(set) var finished: [UInt32] = []
        private(set) var mostConnecting = 0
        var didOpen: (Crowd, Link) -> Void = { _, link in link.sendClose(.normal) }
        private let count: Int

        init(_ server: ScriptedServer, count: Int, limit: Int) {
            self.server = server
            self.count = count
            server.loop.connectLimiter.limit = limit
        }

        func connect(deadlines: Deadlines = Deadlines()) throws {
            let uri = try WebSocketURI(server.uri("127.0.0.1"))
            let context = uri.isSecure ? try TLSContext(client: ScriptedServer.trust()) : nil
            let configuration = LinkConfiguration(
                context: context, deadlines: deadlines, limits: MessageLimits(maxMessageByteCount: 1_000))
            let group = HandleGroup(loop: server.loop)
            links = (0..<count).map {
                Link(
                    id: LinkID(rawValue: UInt32($0)), uri: uri, configuration: configuration, loop: server.loop,
                    group: group, owner: self)
            }
            for link in links { link.connect() }
        }

        func forget() { links = [] }

        func linkDidChangeDeadline(_ link: Link) {
            mostConnecting = max(mostConnecting, server.loop.connectLimiter.count)
        }

        func linkDidOpen(_ link: Link) {
            opened.append(link.id.rawValue)
            didOpen(self, link)
            link.flush()
        }

        func linkDidReceive(_ link: Link, isDrained: Bool) { link.discardInput() }
        func linkDidDrain(_ link: Link) {}
        func link(_ link: Link, didEnd failure: LinkFailure) { ended.append(link.id.rawValue) }

        func linkDidFinish(_ link: Link) {
            finished.append(link.id.rawValue)
            if finished.count == count { server.clientDidFinish() }
        }
    }

    @Test(arguments: [false, true])
    func `so many connect at a time, in order, and all come to their turn`(tls: Bool) throws {
        let server = try ScriptedServer(UVLoop(), tls: tls, Step.upgrade + Step.goodbye)
        let crowd = Crowd(server, count: 20, limit: 3)
        try crowd.connect()
        #expect(crowd.links.prefix(3).allSatisfy { $0.phase == .resolving && $0.deadline != nil })
        #expect(crowd.links.dropFirst(3).allSatisfy { $0.phase == .waiting && $0.deadline == nil })
        server.run()
        #expect(crowd.opened.sorted() == Array(0..<20))
        #expect(crowd.mostConnecting == 3)
        #expect(server.loop.connectLimiter.count == 0)
    }

    @Test func `a turn ends with a failure, too`() throws {
        let server = try ScriptedServer(
            UVLoop(), [.request, .bytes(Array("HTTP/1.1 503 Later\r\n\r\n".utf8)), .fin])
        let crowd = Crowd(server, count: 6, limit: 1)
        try crowd.connect()
        server.run()
        #expect(crowd.ended == Array(0..<6))
        #expect(server.loop.connectLimiter.count == 0)
    }

    @Test func `who is dropped while it waits, or while it connects, is in nobody's way`() throws {
        let server = try ScriptedServer(UVLoop(), Step.upgrade + Step.goodbye)
        let crowd = Crowd(server, count: 5, limit: 1)
        try crowd.connect()
        crowd.links[0].drop()
        #expect(crowd.links[1].phase == .resolving)
        crowd.links[2].retire()
        crowd.links[3].expire()
        #expect(crowd.links[3].phase == .waiting)
        server.run()
        #expect(crowd.opened == [1, 3, 4])
        #expect(crowd.finished.sorted() == [0, 1, 2, 3, 4])
    }

    @Test func `a link that dies while it waits is forgotten`() throws {
        let server = try ScriptedServer(UVLoop(), Step.upgrade + Step.goodbye)
        weak var dead: Link?
        let crowd = Crowd(server, count: 1, limit: 1)
        let other = Crowd(server, count: 1, limit: 1)
        try crowd.connect()
        try other.connect()
        dead = other.links.first
        #expect(dead?.phase == .waiting)
        other.forget()
        #expect(dead == nil)
        server.run()
        #expect(crowd.opened == [0])
    }
}
