/// Headers and subprotocols often hold tokens: neither printing nor dumping the configuration shows them.
extension WebSocketClientConfiguration: CustomReflectable {
    /// The members, with the number of the subprotocols and the names of the headers in place of their values.
    public var customMirror: Mirror {
        Mirror(
            self,
            children: [
                "subprotocols": subprotocols.count, "headers": headers.map(\.name),
                "publicSubprotocols": publicSubprotocols.count, "publicHeaders": publicHeaders,
                "userAgent": userAgent as Any,
                "maxRedirects": maxRedirects, "deadlines": deadlines, "maxMessageSize": maxMessageSize,
                "compression": compression as Any, "sendHighWaterMark": sendHighWaterMark,
                "sendLowWaterMark": sendLowWaterMark, "tls": tls, "proxy": proxy, "proxyTLS": proxyTLS,
            ],
            displayStyle: .struct)
    }
}
