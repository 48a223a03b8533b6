import GenesysLoop

/// The bytes live no longer than the notification.
func body(of notification: ChannelNotification) -> Span<UInt8> {  // error: ~Escapable result
    notification.body
}
