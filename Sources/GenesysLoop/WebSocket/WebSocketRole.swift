/// Which end of the connection the codec speaks for.
///
/// It decides about masking: a client masks and refuses masked frames, a server does the opposite (RFC 6455 §5.1).
package enum WebSocketRole: Hashable, Sendable {
    case client
    case server
}
