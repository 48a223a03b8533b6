// Rate limits of the REST side.
extension SimulatedService {
    private var minute: Duration { scaled(.seconds(60)) }

    /// Counts a request of a token.
    mutating func countRequest(of token: Int, now: Duration) throws(Refusal) {
        tokens[token].requests.add(now: now, length: minute)
        try check(tokens[token].requests, limit: configuration.rates.requestsPerMinute, now: now)
    }

    /// Counts a channel that the client creates.
    mutating func countCreation(now: Duration) throws(Refusal) {
        creations.add(now: now, length: minute)
        try check(creations, limit: configuration.rates.creationsPerMinute, now: now)
    }

    private func check(_ window: RateWindow, limit: Int, now: Duration) throws(Refusal) {
        guard window.count > limit else { return }
        var refusal = Refusal(
            status: 429, message: "Rate limit exceeded the maximum [\(limit)] requests within [60] seconds")
        switch configuration.rates.retryAfter {
        case .remaining:
            refusal.headers.append(.init("Retry-After", "\(window.remainingSeconds(now: now))"))
        case .seconds(let seconds):
            refusal.headers.append(.init("Retry-After", "\(seconds)"))
        case .absent:
            break
        }
        throw refusal
    }

    /// The state of a token's limit, which every answer to it has.
    func rateHeaders(of token: Int, now: Duration) -> [Refusal.Header] {
        let window = tokens[token].requests
        return [
            .init("inin-ratelimit-count", "\(window.count)"),
            .init("inin-ratelimit-allowed", "\(configuration.rates.requestsPerMinute)"),
            .init("inin-ratelimit-reset", "\(window.remainingSeconds(now: now))"),
        ]
    }
}
