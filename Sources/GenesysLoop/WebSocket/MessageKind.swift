/// The two kinds of data message (RFC 6455 §5.6).
package enum MessageKind: Hashable, Sendable {
    /// UTF-8 text; the decoder hands out nothing that is not.
    case text
    /// Any bytes.
    case binary
}
