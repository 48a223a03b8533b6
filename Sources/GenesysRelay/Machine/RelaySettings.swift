/// The limits of a relay.
package struct RelaySettings: Hashable, Sendable {
    /// What happens when the queue is full.
    package enum Overflow: String, Hashable, Sendable {
        /// The source is paused, for at most `pauseLimit`; after that the oldest records are dropped.
        case pause
        /// The oldest records are dropped at once.
        case dropOldest = "drop-oldest"
    }

    /// The bytes of the queue, an overhead for each record included.
    package var queueBytes = 64 << 20
    package var overflow = Overflow.pause
    package var pauseLimit: Duration = .seconds(10)
    /// A batch ends before it has more bytes than this; a larger record is a batch by itself.
    package var batchBytes = 64 << 10
    /// The most records of a batch.
    package var batchCount = 64
    /// The longest time that a record waits for others of its batch.
    package var linger: Duration = .milliseconds(5)
    /// The most bytes that are sent and not acknowledged.
    package var inFlightBytes = 256 << 10
    /// The time without a notification after which an alive record is made.
    package var alive: Duration = .seconds(15)
    /// The time for what is queued when the relay is closed.
    package var drainLimit: Duration = .seconds(10)
    /// The time until the first epoch record must be stored; nil is no limit.
    package var startLimit: Duration?

    /// Whether the driver asks the source until when it delivers. A notification does not tell it then: one channel of
    /// several may be silent while another one delivers.
    package var isSourceAsked = false

    package init() {}
}
