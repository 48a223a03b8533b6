/// The main kind of trouble in a scenario.
enum Profile: Int, CaseIterable, Sendable {
    case calm, maintenance, topics, clocks, pauses, life
    case hostile, service, takeover, rollovers, everything

    /// Nothing in it is a loss, so no reconnect or gap may be reported.
    ///
    /// A host that does not read during a rollover cannot know whether the old socket ended before the new one was
    /// accepted: `pauses` may cause gaps.
    var isHarmless: Bool {
        switch self {
        case .calm, .maintenance, .topics, .clocks, .pauses, .life: true
        case .hostile, .service, .takeover, .rollovers, .everything: false
        }
    }

    /// The host is never blocked, so its watchdog must be on time.
    var isHostPrompt: Bool {
        switch self {
        case .calm, .maintenance, .topics, .life, .hostile, .service, .takeover, .rollovers: true
        case .clocks, .pauses, .everything: false
        }
    }
}
