import GenesysLoop

/// It cannot be stored in an array either.
func collect(_ notification: ChannelNotification, into list: inout [ChannelNotification]) {  // error: Escapable
    list.append(notification)
}
