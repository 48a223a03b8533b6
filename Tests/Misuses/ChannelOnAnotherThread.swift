import GenesysLoop

/// A channel belongs to its loop's thread. `LoopBound.execute(_:)` takes it there.
func close(_ channel: NotificationChannel, on loop: UVLoop) {
    loop.execute { channel.close() }  // error: non-Sendable type 'NotificationChannel'
}
