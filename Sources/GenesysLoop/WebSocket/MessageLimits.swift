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

    /// The greatest payload of a compressed message, before it is decompressed.
    ///
    /// Data that cannot be compressed grows by five bytes in 16 KiB, and by five with every flush of the sender's; an
    /// eighth is ample, and keeps a peer from sending without end what decompresses to nothing.
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
