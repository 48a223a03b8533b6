/// The two kinds of data message (RFC 6455 §5.6).
package enum MessageKind: Hashable, Sendable {
    /// UTF-8 text, validated by the decoder.
    case text
    /// Any bytes.
    case binary
}

extension MessageDecoder {
    /// What `next` found.
    package enum Event: Equatable, Sendable {
        /// All of the input was consumed.
        case needMore
        /// A message whose payload is this range of the input.
        case message(MessageKind, Range<Int>)
        /// A message assembled from several pieces: `takeMessage()` returns it until the next call of `next`.
        case assembledMessage(MessageKind)
        /// The next piece of a compressed message of this kind, to be decompressed (RFC 7692 §6.2): this range of the
        /// input or, if nil, what `takeMessage()` returns until the next call of `next`. Text is not checked yet.
        case compressed(MessageKind, Range<Int>?, isLast: Bool)
        /// A Ping frame; send `controlPayload` back (RFC 6455 §5.5.2).
        case ping
        /// A Pong frame with `controlPayload`.
        case pong
        /// A Close frame; nil without a code. The text is in `closeReason`.
        case close(CloseCode?)
    }
}

/// What a peer may make the decoder hold (RFC 6455 §10.4).
package struct MessageLimits: Hashable, Sendable {
    /// The largest payload of a message, all of its frames together.
    ///
    /// Checked against declared lengths, before a byte of the payload is stored.
    package var maxMessageByteCount: Int

    /// The largest number of frames in one message.
    ///
    /// Empty frames add nothing to the payload: without this limit a peer could keep a message open forever.
    package var maxFrameCount: Int

    /// The largest payload of a compressed message, before it is decompressed.
    ///
    /// Incompressible data grows by five bytes in 16 KiB, and by five with each flush of the sender. An eighth is
    /// ample, and bounds input that decompresses to nothing.
    var maxCompressedByteCount: Int {
        let (sum, overflow) = maxMessageByteCount.addingReportingOverflow(maxMessageByteCount / 8 + 1_024)
        return overflow ? .max : sum
    }

    /// Creates limits; the defaults are 16 MiB in 262,144 frames (16 MiB in fragments of 64 bytes).
    package init(maxMessageByteCount: Int = 16 * 1_024 * 1_024, maxFrameCount: Int = 262_144) {
        self.maxMessageByteCount = maxMessageByteCount
        self.maxFrameCount = maxFrameCount
    }
}

/// The codec's end of the connection.
///
/// It decides the masking: a client masks and refuses masked frames, a server does the opposite (RFC 6455 §5.1).
package enum WebSocketRole: Hashable, Sendable {
    case client
    case server
}
