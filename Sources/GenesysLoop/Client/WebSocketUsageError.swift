/// A call or a configuration that a `WebSocketClient` refuses: nothing was sent and nothing has changed.
///
/// A struct of statics rather than an enum, so that a later version can add an error without breaking a `switch`.
public struct WebSocketUsageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence; it never repeats the value of a header or a payload.
    public let description: String

    private init(_ description: String) {
        self.description = description
    }

    /// The connection is not open yet, is closing, or has ended.
    public static let notOpen = WebSocketUsageError("The WebSocket is not open.")
    /// A text message is not UTF-8 (RFC 6455 §5.6).
    public static let invalidUTF8 = WebSocketUsageError("A text message must be UTF-8.")
    /// A close code other than 1000 and 3000 to 4999, which are an application's (RFC 6455 §7.4).
    public static let invalidCloseCode = WebSocketUsageError(
        "An application closes with the code 1000 or with one from 3000 to 4999.")
    /// A reason that does not fit into a Close frame (RFC 6455 §5.5).
    public static let closeReasonTooLong = WebSocketUsageError(
        "The reason of a Close frame has at most \(WebSocketClient.maxCloseReasonByteCount) bytes of UTF-8.")
    /// A payload that does not fit into a Ping frame (RFC 6455 §5.5).
    public static let pingTooLong = WebSocketUsageError(
        "The payload of a Ping frame has at most \(WebSocketClient.maxPingByteCount) bytes.")

    /// A header, a subprotocol or a user agent that would break the upgrade request; `description` says which rule.
    public static func invalidHeader(_ sentence: String) -> WebSocketUsageError {
        WebSocketUsageError(sentence)
    }
}
