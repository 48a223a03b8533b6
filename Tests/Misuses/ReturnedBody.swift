import GenesysLoop

/// The bytes do not outlive the notification.
func body(of notification: ChannelNotification) -> Span<UInt8> {  // error: ~Escapable result
    notification.body
}
