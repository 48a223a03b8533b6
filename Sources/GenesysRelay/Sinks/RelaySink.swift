package import GenesysLoop

/// An engine that stores records: what `RelayMachine` decides, a sink does.
///
/// It acknowledges cumulatively and in order. It calls its delegate on the thread of its loop, never within a call of
/// one of its methods, and never after `close` was called.
package protocol RelaySink: AnyObject {
    var delegate: (any RelaySinkDelegate)? { get set }

    /// Connects, if it is not connected, and reads the head of the stream; what was under way is forgotten.
    ///
    /// `sink(_:didOpen:head:)`, `sink(_:didLose:)` or `sink(_:didFail:)` follows.
    ///
    /// - Parameter last: the last record that it reported as stored.
    func open(after last: RecordID?)

    /// Stores records behind all those that it was given before.
    func append(_ batch: RelayBatch)

    /// Ends, when what it was given is written or refused.
    ///
    /// - Parameters:
    ///   - coveredUntil: what the head must say.
    ///   - isReleased: whether everything is stored.
    ///   - completion: called on the thread of its loop.
    func close(coveredUntil: WallTime?, isReleased: Bool, completion: @escaping () -> Void)
}

/// What an engine says about itself.
package struct EngineDescription: Hashable, Sendable {
    /// The server and its version.
    package var version: String
    /// When a record that was acknowledged is safe; `unknown` if the engine does not tell.
    package var durability: String
    /// Sentences about what may be lost with these settings.
    package var warnings: [String]

    package init(version: String, durability: String, warnings: [String] = []) {
        self.version = version
        self.durability = durability
        self.warnings = warnings
    }
}

/// What a sink reports.
package protocol RelaySinkDelegate: AnyObject {
    /// It is connected.
    ///
    /// - Parameter head: the end of the stream; nil if it is empty.
    func sink(_ sink: any RelaySink, didOpen engine: EngineDescription, head: StreamHead?)

    /// Everything up to `id` is stored.
    func sink(_ sink: any RelaySink, didStoreThrough id: RecordID)

    /// A record was not stored; everything before it was reported as stored, and nothing behind it is under way.
    func sink(_ sink: any RelaySink, didRefuse sequence: UInt64, _ refusal: RelayMachine.Refusal)

    /// It could not connect, or its connection is gone; `open(after:)` tries again.
    func sink(_ sink: any RelaySink, didLose reason: String)

    /// Every try would fail, such as when the target is closed, or a right is missing. Nothing follows.
    func sink(_ sink: any RelaySink, didFail failure: RelaySinkFailure)
}
