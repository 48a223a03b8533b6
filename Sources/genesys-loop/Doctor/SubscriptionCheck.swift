import GenesysLoop

/// The check of a subscription that the service confirmed.
enum SubscriptionCheck {
    /// - Parameter unconfirmed: the topics that the confirmation does not name.
    static func make(_ topics: [Topic], unconfirmed: [Topic], after time: Duration) -> Check {
        let count = "\(topics.count) \(topics.count == 1 ? "topic" : "topics")"
        guard !unconfirmed.isEmpty else {
            return .ok(.subscription, after: time, "The service confirmed \(count).")
        }
        return .warning(
            .subscription, after: time, "The service confirmed the subscription without \(unconfirmed.listed).",
            advice: "Check these topics, and the permissions that they need: they may not be subscribed.")
    }
}

extension [Topic] {
    /// The first of them, and how many more there are.
    var listed: String {
        let names = prefix(20).map(\.rawValue).joined(separator: ", ")
        return count > 20 ? "\(names) and \(count - 20) more" : names
    }
}
