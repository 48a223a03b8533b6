/// Bytes on the wire, in both directions: with the framing of WebSocket, TLS and proxies.
package struct Traffic: Equatable, Sendable {
    package var received = 0
    package var sent = 0

    package init(received: Int = 0, sent: Int = 0) {
        self.received = received
        self.sent = sent
    }

    package static func += (total: inout Traffic, more: Traffic) {
        total.received &+= more.received
        total.sent &+= more.sent
    }
}
