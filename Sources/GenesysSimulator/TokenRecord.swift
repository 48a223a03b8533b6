internal import GenesysLoop

/// What the service knows of a token.
struct TokenRecord: Sendable {
    let value: String
    let expires: Duration
    /// It has expired, was revoked, or was the oldest of too many.
    var isGone = false
    /// Its requests within a minute.
    var requests = RateWindow()
}

/// Requests within a period, which begins with the first of them.
struct RateWindow: Hashable, Sendable {
    private var end: Duration = .zero
    private(set) var count = 0

    /// Counts a request.
    mutating func add(now: Duration, length: Duration) {
        if now >= end {
            end = now + length
            count = 0
        }
        count += 1
    }

    /// The rest of the period, in whole seconds, rounded up.
    func remainingSeconds(now: Duration) -> Int {
        let (seconds, attoseconds) = max(.zero, end - now).components
        return Int(seconds) + (attoseconds > 0 ? 1 : 0)
    }
}
