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
    /// Where links were redirected to.
    var trails: [LinkID: RedirectTrail] = [:]
    /// Which addresses were of use, for the life of the channel.
    var addresses = AddressMemory()
    var handles: DriverHandles
    var end: Boxed<ChannelMachine.End>?
    private let firstEndpoint: WebSocketURI
    /// Those of rollovers.
    private var otherEndpoints: [WebSocketURI] = []

    init(endpoint: WebSocketURI, loop: UVLoop, linkOptions: SharedLinkOptions) throws(ChannelFailure) {
        handles = DriverHandles(loop: loop)
        firstEndpoint = endpoint
        _ = try linkOptions.link(to: endpoint, on: loop)
    }

    /// The first URI, fit for a log.
    var redactedURI: String { firstEndpoint.redacted }

    /// All URIs that the channel was given.
    var endpoints: [WebSocketURI] { [firstEndpoint] + otherEndpoints }

    /// The name of a URI, the same one for the same URI: the machine tells a second socket of a channel from another
    /// channel by it.
    mutating func add(
        _ endpoint: WebSocketURI, loop: UVLoop, linkOptions: SharedLinkOptions
    ) throws(ChannelFailure) -> EndpointID {
        if endpoint == firstEndpoint { return EndpointID(rawValue: 0) }
        if let index = otherEndpoints.firstIndex(of: endpoint) { return EndpointID(rawValue: UInt32(index + 1)) }
        _ = try linkOptions.link(to: endpoint, on: loop)
        otherEndpoints.append(endpoint)
        return EndpointID(rawValue: UInt32(otherEndpoints.count))
    }

    /// Makes the rules of links to every endpoint, under other linkOptions.
    func prepare(_ linkOptions: SharedLinkOptions, on loop: UVLoop) throws(ChannelFailure) {
        _ = try linkOptions.link(to: firstEndpoint, on: loop)
        for endpoint in otherEndpoints { _ = try linkOptions.link(to: endpoint, on: loop) }
    }

    subscript(endpoint: EndpointID) -> WebSocketURI {
        endpoint.rawValue == 0 ? firstEndpoint : otherEndpoints[Int(endpoint.rawValue) - 1]
    }

    /// The link of that name: the last one, where others were redirected to it.
    func link(_ id: LinkID) -> Link? {
        links.last { $0.id == id }
    }
}

/// What a service says in words may name the channel, whose id is the secret of its URI: that is taken out of whatever is
/// told of it. An answer to the upgrade and a Close frame have been looked at where they came in.
extension ChannelDriver {
    func withoutSecrets(_ event: ChannelMachine.Event) -> ChannelMachine.Event {
        switch event {
        case .willReconnect(var attempt):
            attempt.failure = withoutSecrets(attempt.failure)
            return .willReconnect(attempt)
        case .didFailRollover(let failure):
            return .didFailRollover(withoutSecrets(failure))
        case .didReject(var topics):
            topics.message = topics.message.map(withoutSecrets)
            return .didReject(topics)
        case .didSubscribe, .didMiss, .didRecover, .willExpire:
            return event
        }
    }

    func withoutSecrets(_ failure: ChannelFailure) -> ChannelFailure {
        var failure = failure
        failure.message = failure.message.map(withoutSecrets)
        return failure
    }

    private func withoutSecrets(_ text: String) -> String {
        endpoints.reduce(text) { $1.secretFilter.filtered($0) }
    }
}
