/// A notification that owns its bytes: it can be stored, sent to another thread, compared.
///
/// Made by `ChannelNotification.copy()`, with the same accessors. Two are equal if their messages are equal byte by
/// byte.
public struct OwnedNotification: Hashable, Sendable {
    /// The whole message, exactly as received.
    public let message: [UInt8]

    private let topicSlice: JSONSlice
    private let bodySlice: JSONSlice?
    private let metadataSlice: JSONSlice?

    init(message: [UInt8], topicSlice: JSONSlice, bodySlice: JSONSlice?, metadataSlice: JSONSlice?) {
        self.message = message
        self.topicSlice = topicSlice
        self.bodySlice = bodySlice
        self.metadataSlice = metadataSlice
    }

    /// The same notification as a borrowed value, for code that takes either.
    public var borrowed: ChannelNotification {
        @_lifetime(borrow self)
        get {
            ChannelNotification(
                bytes: message.span, topicSlice: topicSlice, bodySlice: bodySlice, metadataSlice: metadataSlice)
        }
    }

    /// The whole message, exactly as received.
    public var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get { message.span }
    }

    /// The name of the topic as it appears in the message, without its quotes.
    public var topicBytes: Span<UInt8> {
        @_lifetime(borrow self)
        get { message.span.extracting(topicSlice.content) }
    }

    /// The name of the topic.
    ///
    /// Allocates.
    public var topic: String { borrowed.topic }

    /// The value of `eventBody` as received.
    ///
    /// Empty if there is none.
    public var body: Span<UInt8> {
        @_lifetime(borrow self)
        get { message.span.extracting(bodySlice?.range ?? 0..<0) }
    }

    /// The `CorrelationId` of the message's `metadata`; nil if there is none.
    ///
    /// Searches the message at each call; allocates.
    public var correlationID: String? { borrowed.correlationID }

    /// Whether the messages are the same, byte by byte.
    public static func == (left: OwnedNotification, right: OwnedNotification) -> Bool {
        left.message == right.message
    }

    /// Feeds the message to `hasher`.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(message)
    }
}

extension OwnedNotification: CustomStringConvertible {
    /// The topic and the number of bytes, without the content.
    public var description: String { "\(ChannelFailure.printable(topic)): \(message.count) bytes" }
}
