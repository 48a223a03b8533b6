/// The configuration of a link, shared by links and not changed once a link has it.
final class LinkConfiguration {
    /// The shared context; nil for `ws:`.
    var context: TLSContext?
    var deadlines: Deadlines
    var limits: MessageLimits
    /// The proxies to use; nil for none.
    var proxy: ProxyRules?
    /// Subprotocols to offer, in order of preference.
    var subprotocols: [String] = []
    /// The offer of permessage-deflate; nil for none.
    var compression: Compression?
    /// Additional headers of the upgrade request.
    var headers: [(name: String, value: String)] = []
    /// The `User-Agent` header; nil for none.
    var userAgent: String? = "GenesysLoop"
    /// The queue counts as drained at this number of bytes or fewer.
    var lowWaterMark = 0

    init(context: TLSContext?, deadlines: Deadlines, limits: MessageLimits) {
        self.context = context
        self.deadlines = deadlines
        self.limits = limits
    }
}
