/// What the driver of a channel owns: links, handles, actions not yet performed.
struct ChannelDriver {
    /// Performed only in a pass, never during a callout.
    var pending = ActionQueue<ChannelMachine.Action>()
    var isAdvancing = false
    /// All links that have not let go of their sockets, those that wind down in the background included.
    var links: [Link] = []
    /// Links to be read again when all actions are performed.
    var resuming: [LinkID] = []
    /// Notifications that may not be delivered yet.
    var held: [LinkID: [[UInt8]]] = [:]
    var handles: DriverHandles
    var end: ChannelMachine.End?
    /// Made with the first `wss:` URI.
    private(set) var context: TLSContext?

    private var endpoints: [WebSocketURI] = []

    init(endpoint: WebSocketURI, loop: EventLoop, configuration: ChannelConfiguration) throws(ChannelFailure) {
        handles = DriverHandles(loop: loop)
        _ = try add(endpoint, loop: loop, configuration: configuration)
    }

    /// The first URI, fit for a log.
    var redactedURI: String { endpoints[0].redacted }

    /// The name of a URI, the same one for the same URI: the machine tells a second socket of a channel from another
    /// channel by it.
    mutating func add(
        _ endpoint: WebSocketURI, loop: EventLoop, configuration: ChannelConfiguration
    ) throws(ChannelFailure) -> EndpointID {
        if let index = endpoints.firstIndex(of: endpoint) { return EndpointID(rawValue: UInt32(index)) }
        if endpoint.isSecure, context == nil { context = try loop.sharedContext(checking: configuration.tls) }
        endpoints.append(endpoint)
        return EndpointID(rawValue: UInt32(endpoints.count - 1))
    }

    subscript(endpoint: EndpointID) -> WebSocketURI {
        endpoints[Int(endpoint.rawValue)]
    }

    func link(_ id: LinkID) -> Link? {
        links.first { $0.id == id }
    }
}
