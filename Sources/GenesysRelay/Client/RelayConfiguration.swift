/// How a relay behaves.
public struct RelayConfiguration: Hashable, Sendable {
    /// What happens when the queue is full.
    public enum Overflow: String, Hashable, Sendable, CaseIterable {
        /// The channel is paused, for at most `pauseLimit`; after that the oldest records are dropped.
        case pause
        /// The oldest records are dropped at once.
        case dropOldest = "drop-oldest"
    }

    /// The bytes of the records that wait for the engine, an overhead of 128 bytes for each of them included; at least
    /// 65,536. Default: 64 MiB.
    public var queueBytes = 64 << 20
    /// What happens when the queue is full. Default: `pause`.
    public var overflow = Overflow.pause
    /// How long the channel is paused at most: the service does not wait forever for a client that does not read.
    /// Default: 10 s.
    public var pauseLimit: Duration = .seconds(10)
    /// The bytes of a batch; a larger record is a batch by itself. Default: 64 KiB.
    public var batchBytes = 64 << 10
    /// How long a record waits for others of its batch. Default: 5 ms.
    public var linger: Duration = .milliseconds(5)
    /// How long the engine may take, from `open()`, to store the first record; nil for no limit. Default: 60 s.
    public var firstConnectionLimit: Duration? = .seconds(60)
    /// How long the engine may take, from `close()`, to store what is queued. Default: 10 s.
    public var drainLimit: Duration = .seconds(10)
    /// The time after which a relay that does not renew its lease may lose the stream to another one of the same name,
    /// where the engine keeps a lease. Default: 10 s.
    public var lease: Duration = .seconds(10)
    /// The file to which records are appended that the engine refuses for good, as lines of JSON; nil for none.
    public var deadLetterFile: String?
    /// For a file: whether each batch is on the disk before it counts as stored. Otherwise the system writes it, and a
    /// loss of power may lose the last seconds. Default: false.
    public var isSynchronized = false

    /// Creates a configuration with the defaults.
    public init() {}

    /// The least bytes of a queue.
    package static let minQueueBytes = 65_536

    var settings: RelaySettings {
        var settings = RelaySettings()
        settings.queueBytes = queueBytes
        settings.overflow = overflow == .pause ? .pause : .dropOldest
        settings.pauseLimit = pauseLimit
        settings.batchBytes = batchBytes
        settings.linger = linger
        settings.startLimit = firstConnectionLimit
        settings.drainLimit = drainLimit
        settings.isSourceAsked = true
        return settings
    }

    func check() throws(RelayError) {
        guard queueBytes >= RelayConfiguration.minQueueBytes else {
            throw RelayError("A queue needs at least \(RelayConfiguration.minQueueBytes) bytes.")
        }
        guard batchBytes > 0 else { throw RelayError("A batch needs at least one byte.") }
        guard lease >= .milliseconds(100) else { throw RelayError("A lease lasts at least 100 ms.") }
        guard linger >= .zero, pauseLimit >= .zero else { throw RelayError("A time of a relay is not negative.") }
    }
}
