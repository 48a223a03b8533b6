/// What the driver of a channel owns beside its `DriverCore`.
struct ChannelDriver {
    /// Links to resume when all actions are performed.
    var resuming: [LinkID] = []
    /// Notifications that may not be delivered yet.
    var held: [LinkID: [[UInt8]]] = [:]
    /// The redirects that links followed.
    var trails: [LinkID: RedirectTrail] = [:]
    /// Which addresses worked, for the life of the channel.
    var addresses = AddressMemory()
    var end: Boxed<ChannelMachine.End>?
    private var boxedRecord: Boxed<Record>?
    /// The last state that the delegate was told.
    var toldState = ChannelState.idle
    private let firstEndpoint: WebSocketURI
    /// The endpoints of rollovers.
    private var otherEndpoints: [WebSocketURI] = []

    init(endpoint: WebSocketURI, loop: UVLoop, linkOptions: SharedLinkOptions) throws(LinkFailure) {
        firstEndpoint = endpoint
        _ = try linkOptions.link(to: endpoint, on: loop)
    }

    /// What is over, for the statistics. Out of line, because most channels have nothing of it.
    struct Record {
        /// The bytes of connections that are closed.
        var traffic = Traffic()
        var gapCounts: [FailureReason: Int] = [:]
        var gapDurations: [FailureReason: Duration] = [:]
    }

    private(set) var record: Record {
        get { boxedRecord?.value ?? Record() }
        set { boxedRecord = Boxed(newValue) }
    }

    /// A gap is about to be reported.
    mutating func count(_ gap: Gap) {
        record.gapCounts[gap.reason, default: 0] += 1
        record.gapDurations[gap.reason, default: .zero] += max(.zero, gap.to - gap.from)
    }

    /// A connection is closed.
    mutating func count(_ traffic: Traffic) {
        record.traffic += traffic
    }

    /// The first URI, redacted for a log.
    var redactedURI: String { firstEndpoint.redacted }

    /// All URIs that the channel was given.
    var endpoints: [WebSocketURI] { [firstEndpoint] + otherEndpoints }

    /// The id of a URI, always the same for the same URI. The machine uses it to distinguish a second socket of a
    /// channel from another channel.
    mutating func add(
        _ endpoint: WebSocketURI, loop: UVLoop, linkOptions: SharedLinkOptions
    ) throws(LinkFailure) -> EndpointID {
        if endpoint == firstEndpoint { return EndpointID(rawValue: 0) }
        if let index = otherEndpoints.firstIndex(of: endpoint) { return EndpointID(rawValue: UInt32(index + 1)) }
        _ = try linkOptions.link(to: endpoint, on: loop)
        otherEndpoints.append(endpoint)
        return EndpointID(rawValue: UInt32(otherEndpoints.count))
    }

    /// Makes the link configurations for every endpoint with other options.
    func prepare(_ linkOptions: SharedLinkOptions, on loop: UVLoop) throws(LinkFailure) {
        _ = try linkOptions.link(to: firstEndpoint, on: loop)
        for endpoint in otherEndpoints { _ = try linkOptions.link(to: endpoint, on: loop) }
    }

    subscript(endpoint: EndpointID) -> WebSocketURI {
        endpoint.rawValue == 0 ? firstEndpoint : otherEndpoints[Int(endpoint.rawValue) - 1]
    }
}

/// Removes secrets from every text of the service that is reported: the channel's ids, which are the secrets of its
/// URIs, and what the loop knows.
///
/// The ids were removed from answers to the upgrade and from Close frames where they arrived.
extension ChannelDriver {
    func withoutSecrets(_ event: ChannelMachine.Event, on loop: UVLoop) -> ChannelMachine.Event {
        switch event {
        case .willReconnect(var attempt):
            attempt.failure = withoutSecrets(attempt.failure, on: loop)
            return .willReconnect(attempt)
        case .didFailRollover(let failure):
            return .didFailRollover(withoutSecrets(failure, on: loop))
        case .didReject(var topics):
            topics.message = topics.message.map { withoutSecrets($0, on: loop) }
            return .didReject(topics)
        case .didSubscribe, .didMiss, .didRecover, .willExpire:
            return event
        }
    }

    func withoutSecrets(_ failure: ChannelFailure, on loop: UVLoop) -> ChannelFailure {
        var failure = failure
        failure.message = failure.message.map { withoutSecrets($0, on: loop) }
        failure.correlationID = failure.correlationID.map { withoutSecrets($0, on: loop) }
        return failure
    }

    private func withoutSecrets(_ text: String, on loop: UVLoop) -> String {
        let text = endpoints.reduce(text) { $1.secretFilter.filtered($0) }
        return SecretFilter(loop.secrets.values.flatMap(\.self)).filtered(text)
    }
}
