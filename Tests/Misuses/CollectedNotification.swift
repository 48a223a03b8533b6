import GenesysLoop

/// Nor can it lie in an array.
func collect(_ notification: ChannelNotification, into list: inout [ChannelNotification]) {  // error: Escapable
    list.append(notification)
}
