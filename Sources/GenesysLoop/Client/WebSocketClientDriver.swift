/// What the driver of a client owns: its link, handles, actions not yet performed.
struct WebSocketClientDriver {
    /// Where it connects to, and how it came to that.
    var trail: RedirectTrail
    /// For `wss:` only.
    var context: TLSContext?
    let proxy: ProxyRules?
    /// The link is over because it led elsewhere; the next one follows when it has let go of its socket.
    var isRedirected = false
    /// Performed only in a pass, never during a callout.
    var pending = ActionQueue<WebSocketClientMachine.Action>()
    var isAdvancing = false
    /// A pass is on its way.
    var isScheduled = false
    /// The link is being read: what the host asks for meanwhile is done at the end of that.
    var isReceiving = false
    /// The queue is looked at again at the next turn of the loop.
    var isTurnAwaited = false
    var link: Link?
    var subprotocol: String?
    var isCompressed = false
    var handles: DriverHandles
    /// Why the link failed.
    var failure: ChannelFailure?
    /// All is said but the end.
    var isFinishing = false

    init(uri: String, loop: UVLoop, configuration: WebSocketClientConfiguration) throws {
        do throws(ChannelFailure) {
            trail = RedirectTrail(try WebSocketURI(checking: uri), limit: configuration.maxRedirects)
            context =
                trail.uri.isSecure
                ? try loop.sharedContext(checking: configuration.tls, logger: configuration.logger) : nil
            proxy = try loop.proxyRules(configuration.proxy, tls: configuration.proxyTLS, logger: configuration.logger)
            _ = try proxy?.check(trail.uri)
        } catch {
            throw WebSocketFailure(error)
        }
        try configuration.check(for: trail.uri)
        handles = DriverHandles(loop: loop)
    }

    /// Where it connects to.
    var uri: WebSocketURI { trail.uri }
}
