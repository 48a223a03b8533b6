/// What kind of trouble a scenario is mostly made of.
enum Profile: Int, CaseIterable, Sendable {
    case calm, maintenance, topics, clocks, pauses, life
    case hostile, service, takeover, rollovers, everything

    /// Nothing in it is a loss, so that none may be reported: no reconnect, no gap.
    ///
    /// A host that reads nothing while it rolls over cannot tell whether the old socket ended before the new one was
    /// accepted: `pauses` may bring gaps.
    var isHarmless: Bool {
        switch self {
        case .calm, .maintenance, .topics, .clocks, .pauses, .life: true
        case .hostile, .service, .takeover, .rollovers, .everything: false
        }
    }

    /// The host is never held up, so that its watchdog has no excuse.
    var isHostPrompt: Bool {
        switch self {
        case .calm, .maintenance, .topics, .life, .hostile, .service, .takeover, .rollovers: true
        case .clocks, .pauses, .everything: false
        }
    }
}
