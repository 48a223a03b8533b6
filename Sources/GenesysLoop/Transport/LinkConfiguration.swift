/// The rules of a link; links of one configuration share them, and nothing changes them once a link has them.
final class LinkConfiguration {
    /// The shared context; nil for `ws:`.
    var context: TLSContext?
    var deadlines: Deadlines
    var limits: MessageLimits
    /// Which proxy to go through; nil goes through none.
    var proxy: ProxyRules?
    /// Subprotocols to offer, in order of preference.
    var subprotocols: [String] = []
    /// Offers permessage-deflate; nil offers nothing.
    var compression: Compression?
    /// Headers of the upgrade request besides those of the handshake.
    var headers: [(name: String, value: String)] = []
    /// Nil sends no such header.
    var userAgent: String? = "GenesysLoop"
    /// How few bytes must be queued for the owner to hear that the queue has drained.
    var lowWaterMark = 0

    init(context: TLSContext?, deadlines: Deadlines, limits: MessageLimits) {
        self.context = context
        self.deadlines = deadlines
        self.limits = limits
    }
}
