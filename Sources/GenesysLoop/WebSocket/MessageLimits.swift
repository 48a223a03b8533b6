/// What a peer may make the decoder hold (RFC 6455 §10.4).
package struct MessageLimits: Hashable, Sendable {
    /// The greatest payload of a message, all of its frames together.
    ///
    /// Checked against declared lengths, before a byte of the payload is stored.
    package var maxMessageByteCount: Int

    /// The greatest number of frames in one message.
    ///
    /// Empty frames add nothing to the payload, so that without this limit a peer could keep a message open for ever.
    package var maxFrameCount: Int

    /// Creates limits; the defaults are 16 MiB in 262,144 frames (16 MiB in fragments of 64 bytes).
    package init(maxMessageByteCount: Int = 16 * 1_024 * 1_024, maxFrameCount: Int = 262_144) {
        self.maxMessageByteCount = maxMessageByteCount
        self.maxFrameCount = maxFrameCount
    }
}
