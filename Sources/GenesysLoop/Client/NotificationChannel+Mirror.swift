/// A channel holds its URI, which is a bearer secret: neither printing nor dumping the channel shows it.
extension NotificationChannel: CustomStringConvertible, CustomReflectable {
    /// The redacted URI and the number of topics.
    public var description: String {
        "NotificationChannel(\(driver.redactedURI), \(machine.topics.count) topics)"
    }

    /// A mirror without children.
    public var customMirror: Mirror {
        Mirror(self, children: [])
    }
}
