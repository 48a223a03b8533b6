/// What the driver counts for the statistics; the machine counts the rest.
struct ChannelTally {
    var counts = ChannelStatistics()
    /// When the bytes were read that are being delivered: one look at the clock for each read, not for each message.
    var readAt = Instant(nanoseconds: 0)
    var lastNotificationAt: Instant?

    mutating func delivered() {
        counts.receivedCount &+= 1
        lastNotificationAt = readAt
    }
}
