import GenesysLoop

/// A rollover to a URI that cannot be used throws, as `init` does.
func move(_ channel: NotificationChannel, to uri: String) {
    channel.rollover(to: uri)  // error: call can throw
}
