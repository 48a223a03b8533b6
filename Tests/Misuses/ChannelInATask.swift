import GenesysLoop

/// A task of its own must not have it either.
func close(_ channel: NotificationChannel) {
    Task.detached { channel.close() }  // error: data races
}
