import GenesysLoop

/// A notification cannot be stored in an array.
func collect(
    _ notification: ChannelNotification,
    into list: inout [ChannelNotification]  // error: does not conform to protocol 'Escapable'
) {
    list.append(notification)
}
