@testable import GenesysLoop

/// Drives one link, as a channel does, and records what it reports.
final class LinkProbe: LinkOwner, TimerOwner {
    private(set) var link: Link?
    private(set) var messages: [[UInt8]] = []
    private(set) var end: LinkEnd?
    private(set) var endCount = 0
    private(set) var finishCount = 0
    /// How often the owner was asked to take messages.
    private(set) var receiveCount = 0
    /// Whether the read that is being taken emptied the socket.
    private(set) var isDrained = false
    private(set) var phases: [Link.Phase] = []
    private let server: ScriptedServer
    private var timer: Timer?

    /// The proxy to go through.
    var proxy: ProxyRules?
    /// Called when the link has released everything.
    var didFinish: () -> Void = {}
    /// A phase begins, and the timer is set.
    var didEnter: (LinkProbe, Link) -> Void = { _, _ in }
    var didOpen: (LinkProbe, Link) -> Void = { _, _ in }
    var didReceive: (LinkProbe, Link) -> Void = { _, _ in }
    var didEnd: (LinkProbe, Link) -> Void = { _, _ in }

    init(_ server: ScriptedServer) { self.server = server }

    /// Connects and runs until both sides have released everything.
    func run(
        host: String = "localhost", limit: Int = 16 * 1_024 * 1_024, _ change: (inout Deadlines) -> Void = { _ in }
    ) throws {
        var deadlines = Deadlines()
        change(&deadlines)
        let uri = try WebSocketURI(server.uri(host))
        let context = uri.isSecure ? try TLSContext(client: ScriptedServer.trust()) : nil
        let configuration = LinkConfiguration(
            context: context, deadlines: deadlines, limits: MessageLimits(maxMessageByteCount: limit))
        configuration.proxy = proxy
        let group = HandleGroup(loop: server.loop)
        let link = Link(
            id: LinkID(rawValue: 1), uri: uri, configuration: configuration, loop: server.loop, group: group,
            owner: self)
        self.link = link
        timer = Timer(loop: server.loop, group: group, owner: self)
        link.connect()
        server.run()
        (didEnter, didOpen, didReceive, didEnd) = ({ _, _ in }, { _, _ in }, { _, _ in }, { _, _ in })
    }

    var texts: [String] { messages.map { String(decoding: $0, as: UTF8.self) } }

    private func setTimer() {
        guard let deadline = link?.deadline else { return timer?.stop() ?? () }
        timer?.start(at: deadline)
    }

    func timerDidFire(_ timer: Timer) {
        guard let link else { return }
        link.deadlineReached(now: server.loop.now.instant)
        link.reportEndIfDue()
        setTimer()
    }

    func linkDidOpen(_ link: Link) {
        didOpen(self, link)
        link.flush()
    }

    func linkDidReceive(_ link: Link, isDrained: Bool) {
        receiveCount += 1
        self.isDrained = isDrained
        while link.deliver({ take($1, $0) }) { didReceive(self, link) }
    }

    /// Takes no other event after a message, so that `didReceive` is called for each.
    private func take(_ bytes: Span<UInt8>, _ kind: Delivery) -> Bool {
        guard kind != .pong else { return true }
        messages.append(bytes.byteArray())
        return false
    }

    func linkDidDrain(_ link: Link) {}

    func linkDidChangeDeadline(_ link: Link) {
        phases.append(link.phase)
        setTimer()
        didEnter(self, link)
    }

    func link(_ link: Link, didEnd failure: LinkFailure) {
        end = LinkEnd(failure)
        endCount += 1
        didEnd(self, link)
    }

    func linkDidFinish(_ link: Link) {
        finishCount += 1
        self.link = nil
        timer?.close()
        timer = nil
        didFinish()
        server.clientDidFinish()
    }
}
