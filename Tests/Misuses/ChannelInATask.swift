import GenesysLoop

/// Nor may a task of its own have it.
func close(_ channel: NotificationChannel) {
    Task.detached { channel.close() }  // error: data races
}
