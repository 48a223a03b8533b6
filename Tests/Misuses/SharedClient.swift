import GenesysLoop

/// A client is not Sendable.
func share(_ client: WebSocketClient) -> any Sendable {
    client  // error: does not conform to the 'Sendable' protocol
}
