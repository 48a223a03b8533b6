extension MessageDecoder {
    /// What `next` found.
    package enum Event: Equatable, Sendable {
        /// All of the input was consumed.
        case needMore
        /// A message whose payload is this range of the input.
        case message(MessageKind, Range<Int>)
        /// A message put together from several pieces: `takeMessage()` has it until the next call of `next`.
        case assembledMessage(MessageKind)
        /// The next piece of a compressed message of this kind, to be decompressed (RFC 7692 §6.2): this range of the
        /// input, or, nil, what `takeMessage()` has until the next call of `next`. Text is not checked yet.
        case compressed(MessageKind, Range<Int>?, isLast: Bool)
        /// A Ping frame; `controlPayload` is to be sent back (RFC 6455 §5.5.2).
        case ping
        /// A Pong frame with `controlPayload`.
        case pong
        /// A Close frame; nil without a code. The text is in `closeReason`.
        case close(CloseCode?)
    }
}
