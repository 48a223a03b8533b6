/// What the driver counts for the statistics; the machine counts the rest.
struct ChannelCounters {
    var receivedCount = 0
    var discardedCount = 0
    var receivedByteCount = 0
    var gapCount = 0
    /// When the bytes were read that are being delivered: one look at the clock for each read, not for each message.
    var readAt = Instant(nanoseconds: 0)
    var lastNotificationAt: Instant?

    mutating func delivered() {
        receivedCount &+= 1
        lastNotificationAt = readAt
    }
}
