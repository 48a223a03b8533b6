/// A notification that owns its bytes: it can be stored, sent to another thread, compared.
///
/// `ChannelNotification.copy()` makes one, with the same accessors, and so does a test with `init(topic:body:)`. Two
/// are equal if their messages are equal byte by byte.
public struct OwnedNotification: Hashable, Sendable {
    /// The whole message, exactly as received.
    public let message: [UInt8]

    private let topicSlice: JSONSlice
    private let bodySlice: JSONSlice?
    private let metadataSlice: JSONSlice?

    /// Makes a notification like those of the service, for example to test a delegate.
    ///
    ///     let notification = try OwnedNotification(topic: "v2.users.ID.presence", body: #"{"source": "PURECLOUD"}"#)
    ///     host.channel(channel, didReceive: notification.borrowed)
    ///
    /// The message is `{"topicName":…,"eventBody":…}`, without metadata.
    ///
    /// - Parameters:
    ///   - topic: the name of the topic.
    ///   - body: the value of `eventBody`: one JSON value (RFC 8259).
    /// - Throws: `InvalidBody` if `body` is anything else.
    public init(topic: Topic, body: String) throws(InvalidBody) {
        var object = JSONObject()
        object.add("topicName", topic.rawValue)
        let start = object.finished().count + ",\"eventBody\":".utf8.count - 1
        object.add("eventBody", json: body.utf8)
        let message = object.finished()
        let envelope: Envelope
        do throws(EnvelopeError) {
            envelope = try EnvelopeScanner.scan(message.span)
        } catch {
            throw InvalidBody("The body of a notification is one JSON value: \(error)")
        }
        // Members that follow the value, as in `1,"topicName":"other"`, fit into the object and are no part of the
        // body.
        guard let topicSlice = envelope.topicName, let bodySlice = envelope.eventBody,
            OwnedNotification.isWhiteSpace(message[start..<bodySlice.range.lowerBound]),
            OwnedNotification.isWhiteSpace(message[bodySlice.range.upperBound..<(message.count - 1)])
        else { throw InvalidBody("The body of a notification is one JSON value, and this text goes on after it.") }
        self.init(message: message, topicSlice: topicSlice, bodySlice: bodySlice, metadataSlice: nil)
    }

    private static func isWhiteSpace(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
    }

    /// A text that cannot be the body of a notification.
    public struct InvalidBody: Error, Hashable, Sendable, CustomStringConvertible {
        /// One sentence, without the text.
        public let description: String

        init(_ description: String) {
            self.description = description
        }
    }

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
