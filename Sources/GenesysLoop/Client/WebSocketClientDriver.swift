/// What the driver of a client owns: its link, handles, actions not yet performed.
struct WebSocketClientDriver {
    let uri: WebSocketURI
    /// For `wss:` only.
    let context: TLSContext?
    let proxy: ProxyRules?
    /// Performed only in a pass, never during a callout.
    var pending = ActionQueue<WebSocketClientMachine.Action>()
    var isAdvancing = false
    /// A pass is on its way.
    var isScheduled = false
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

    init(uri: String, loop: EventLoop, configuration: WebSocketClientConfiguration) throws {
        do throws(ChannelFailure) {
            self.uri = try WebSocketURI(checking: uri)
            context =
                self.uri.isSecure
                ? try loop.sharedContext(checking: configuration.tls, logger: configuration.logger) : nil
            proxy = try loop.proxyRules(configuration.proxy, tls: configuration.proxyTLS, logger: configuration.logger)
            _ = try proxy?.check(self.uri)
        } catch {
            throw WebSocketFailure(error)
        }
        try configuration.check(for: self.uri)
        handles = DriverHandles(loop: loop)
    }
}
