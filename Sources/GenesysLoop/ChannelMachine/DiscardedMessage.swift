/// A message that was not delivered because it is not a notification.
///
/// The channel continues.
public struct DiscardedMessage: Hashable, Sendable {
    /// `invalidMessage` (not JSON, not an object, or a binary frame) or `unrecognizedMessage`.
    public var reason: FailureReason
    /// The message as received.
    public var bytes: [UInt8]

    /// Creates the report of a discarded message.
    public init(reason: FailureReason, bytes: [UInt8]) {
        self.reason = reason
        self.bytes = bytes
    }
}

extension DiscardedMessage: CustomStringConvertible {
    /// The number of bytes and the reason, without the bytes.
    public var description: String {
        "A message of \(bytes.count) \(bytes.count == 1 ? "byte" : "bytes") is no notification and was discarded "
            + "(\(reason))."
    }
}
