import GenesysLoop

/// The same for a client.
func share(_ client: WebSocketClient) -> any Sendable {
    client  // error: does not conform to the 'Sendable' protocol
}
