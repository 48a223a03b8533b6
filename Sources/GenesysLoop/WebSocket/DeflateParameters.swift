/// What permessage-deflate was agreed on with, or is to be (RFC 7692 §7.1).
package struct DeflateParameters: Hashable, Sendable {
    /// The greatest window, and the one meant where nothing is said: 2^15 bytes.
    package static let maxWindowBits = 15

    /// The server begins every message with an empty window (§7.1.1.1).
    package var serverNoContextTakeover = false
    /// The client begins every message with an empty window (§7.1.1.2).
    package var clientNoContextTakeover = false
    /// The window of the server's messages, as the exponent of a power of two (§7.1.2.1). From 8 to 15.
    package var serverMaxWindowBits = DeflateParameters.maxWindowBits
    /// The window of the client's messages, as the exponent of a power of two (§7.1.2.2). From 8 to 15.
    package var clientMaxWindowBits = DeflateParameters.maxWindowBits

    /// No limits: windows of 32 KiB, kept from message to message.
    package init() {}

    /// The window of what `role` receives.
    package func receivedWindowBits(by role: WebSocketRole) -> Int {
        role == .client ? serverMaxWindowBits : clientMaxWindowBits
    }

    /// The window of what `role` sends.
    package func sentWindowBits(by role: WebSocketRole) -> Int {
        role == .client ? clientMaxWindowBits : serverMaxWindowBits
    }

    /// Whether the window of what `role` receives lasts from one message to the next.
    package func keepsReceivedContext(for role: WebSocketRole) -> Bool {
        role == .client ? !serverNoContextTakeover : !clientNoContextTakeover
    }

    /// Whether the window of what `role` sends lasts from one message to the next.
    package func keepsSentContext(for role: WebSocketRole) -> Bool {
        role == .client ? !clientNoContextTakeover : !serverNoContextTakeover
    }
}
