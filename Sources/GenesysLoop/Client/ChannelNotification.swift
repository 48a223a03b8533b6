/// A notification, borrowed from the receive buffer for the duration of one delegate call.
///
/// Nothing is copied or decoded before it is requested. The value can be passed on, also into an actor's
/// `assumeIsolated`, but storing it does not compile:
///
///     var last: ChannelNotification?         // error: the 'get' accessor cannot return a ~Escapable result
///     var all: [ChannelNotification] = []    // error: … does not conform to protocol 'Escapable'
///     later = { print(notification.topic) }  // error: lifetime-dependent variable 'notification' escapes its scope
///
/// `copy()` returns a value that outlives the call:
///
///     var last: OwnedNotification?
///     last = notification.copy()
///
/// The whole message has been checked: it is one JSON object (RFC 8259) in UTF-8. The body is not interpreted.
public struct ChannelNotification: ~Escapable, Sendable {
    /// The whole message, exactly as received.
    public let bytes: Span<UInt8>

    /// The value of `topicName`.
    let topicSlice: JSONSlice
    /// The value of `eventBody`.
    let bodySlice: JSONSlice?
    /// The value of `metadata`.
    let metadataSlice: JSONSlice?

    /// Borrows a scanned message.
    ///
    /// - Parameters:
    ///   - message: the whole message.
    ///   - envelope: the result of scanning `message`; its `topicName` is a string.
    @_lifetime(copy message)
    package init(_ message: Span<UInt8>, envelope: Envelope) {
        guard let topic = envelope.topicName, topic.kind == .string else {
            preconditionFailure("a message without a string topicName was taken for a notification")
        }
        self.bytes = message
        self.topicSlice = topic
        self.bodySlice = envelope.eventBody
        self.metadataSlice = envelope.metadata
    }

    /// The name of the topic, without its quotes and without a copy.
    ///
    /// These are the bytes of the message: escapes (`\u002e`) in the name are not decoded. The service sends none;
    /// `topic` decodes them.
    public var topicBytes: Span<UInt8> {
        @_lifetime(copy self)
        get { bytes.extracting(topicSlice.content) }
    }

    /// The name of the topic.
    ///
    /// Allocates. It compares with topics (`channel.topics.contains(notification.topic)`), byte for byte; a
    /// notification of a combined topic has one of its single names (`Topic.expanded`). Use `Topic(notification.topic)`
    /// as a key: two strings that differ only in Unicode normalization are equal, two topics are not.
    public var topic: String {
        JSONText.decode(topicSlice.content, hasEscapes: topicSlice.hasEscapes, in: bytes)
    }

    /// The value of `eventBody` as received: in practice a JSON object with its braces.
    ///
    /// Empty if there is none.
    public var body: Span<UInt8> {
        @_lifetime(copy self)
        get { bytes.extracting(bodySlice?.range ?? 0..<0) }
    }

    /// The `CorrelationId` of the message's `metadata`; nil if there is none.
    ///
    /// Searches the message at each call; allocates.
    public var correlationID: String? {
        let members = Envelope().members(of: metadataSlice, in: bytes)
        return (members.metadataCorrelationID ?? members.correlationID)?.string(in: bytes)
    }

    /// The `CorrelationId` of the message's `metadata`, without its quotes and without a copy; empty if there is none.
    ///
    /// Searches the message at each call. As in `topicBytes`, escapes are not decoded.
    public var correlationIDBytes: Span<UInt8> {
        @_lifetime(copy self)
        get {
            let members = Envelope().members(of: metadataSlice, in: bytes)
            let slice = members.metadataCorrelationID ?? members.correlationID
            guard let slice, slice.kind == .string else { return bytes.extracting(0..<0) }
            return bytes.extracting(slice.content)
        }
    }

    /// A copy that owns its bytes and outlives the delegate call.
    ///
    /// One allocation.
    public func copy() -> OwnedNotification {
        OwnedNotification(
            message: bytes.byteArray(), topicSlice: topicSlice, bodySlice: bodySlice, metadataSlice: metadataSlice)
    }

    /// Borrows from an owned copy.
    @_lifetime(copy bytes)
    init(bytes: Span<UInt8>, topicSlice: JSONSlice, bodySlice: JSONSlice?, metadataSlice: JSONSlice?) {
        self.bytes = bytes
        self.topicSlice = topicSlice
        self.bodySlice = bodySlice
        self.metadataSlice = metadataSlice
    }
}
