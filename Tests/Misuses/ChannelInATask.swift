import GenesysLoop

/// A detached task must not use a channel.
func close(_ channel: NotificationChannel) {
    Task.detached { channel.close() }  // error: data races
}
