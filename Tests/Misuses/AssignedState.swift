import GenesysLoop

/// The state is the channel's own.
func reopen(_ channel: NotificationChannel) {
    channel.state = .idle  // error: is a get-only property
}
