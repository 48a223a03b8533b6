public import GenesysLoop

/// How a relay behaves. No printed form holds the password.
public struct RelayConfiguration: Hashable, Sendable {
    /// What happens when the queue is full.
    public enum Overflow: String, Hashable, Sendable, CaseIterable {
        /// The channel is paused, for at most `pauseLimit`; after that the oldest records are dropped.
        case pause
        /// The oldest records are dropped at once.
        case dropOldest = "drop-oldest"
    }

    /// The key of the stream in the engine, without braces; nil for `genesys:NAME`. Default: nil.
    public var stream: String?
    /// About how many entries the stream of the engine keeps; nil for all. Default: nil.
    public var maxLength: Int?
    /// What the engine's certificate is checked against, and the relay's own certificate, where the target has TLS.
    public var tls = TLSConfiguration()
    /// The bytes of the records that wait for the engine, an overhead of 128 bytes for each of them included.
    /// Default: 64 MiB; fewer than 64 KiB count as 64 KiB.
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

    /// With less, each record that waits would be dropped, and become a gap record of its own.
    static let leastQueueBytes = 64 << 10

    var secret: SecretText?

    /// The password of the engine, in place of one in the target; nil for none.
    public var password: String? {
        get { secret?.value }
        set { secret = newValue.map { SecretText($0) } }
    }

    /// Creates a configuration with the defaults.
    public init() {}

    var settings: RelaySettings {
        var settings = RelaySettings()
        settings.queueBytes = max(queueBytes, RelayConfiguration.leastQueueBytes)
        settings.overflow = overflow == .pause ? .pause : .dropOldest
        settings.pauseLimit = pauseLimit
        settings.batchBytes = batchBytes
        settings.linger = linger
        settings.startLimit = firstConnectionLimit
        settings.drainLimit = drainLimit
        settings.isSourceAsked = true
        return settings
    }

    package func check() throws(RelayError) {
        if let stream {
            guard !stream.isEmpty, !stream.utf8.contains(where: { $0 == 0x7B || $0 == 0x7D }) else {
                throw RelayError(
                    "The key of a stream is not empty and has no braces: { and } choose a slot of a cluster.")
            }
        }
        guard maxLength ?? 1 > 0 else { throw RelayError("A stream keeps at least one entry.") }
        guard queueBytes > 0, batchBytes > 0 else { throw RelayError("A queue and a batch have at least one byte.") }
        guard lease >= .milliseconds(100) else { throw RelayError("A lease lasts at least 100 ms.") }
        guard linger >= .zero, pauseLimit >= .zero else { throw RelayError("A time of a relay is not negative.") }
    }
}
