internal import GenesysLoop

/// What the service knows of a channel.
struct ChannelRecord: Hashable, Sendable {
    let id: String
    /// The token that made it; nil for a channel of the operator, or of a request without a token.
    let token: Int?
    /// It was made above the limit of channels, and gets no notification.
    let isStarved: Bool
    var expires: Duration
    var lastUsed: Duration
    var topics = TopicList()
    /// Its open sockets, the newest last.
    var sockets: [SimulatedService.SocketID] = []
    /// It has expired, was evicted or its token was revoked.
    ///
    /// It never becomes live again.
    var isGone = false

    /// Whether notifications of the feed would reach a socket.
    var hasAudience: Bool { !isGone && !isStarved && !sockets.isEmpty && !topics.names.isEmpty }
}

/// What the service knows of an open socket.
struct SocketRecord: Hashable, Sendable {
    let channel: Int
    /// A newer socket was opened on the channel; the end of this one is scheduled.
    var isSuperseded = false
}

/// Topics in the order of their subscription, each once.
///
/// A combined topic is one name.
struct TopicList: Hashable, Sendable {
    private(set) var names: [Topic] = []
    private var members: Set<Topic> = []

    mutating func add(_ topics: some Sequence<Topic>) {
        for topic in topics where members.insert(topic).inserted {
            names.append(topic)
        }
    }

    mutating func remove(_ topics: some Sequence<Topic>) {
        let gone = members.intersection(topics)
        members.subtract(gone)
        names.removeAll { gone.contains($0) }
    }

    mutating func removeAll() {
        self = TopicList()
    }
}
