/// The value holds a private key: neither printing nor dumping shows it.
extension SimulatorCertificates: CustomReflectable {
    /// The file of the authority's certificate.
    public var customMirror: Mirror { Mirror(self, children: ["caFile": caFile as Any], displayStyle: .struct) }
}

extension SimulatedService.Refusal: CustomStringConvertible {
    /// The status and the message.
    public var description: String { "HTTP status \(status): \(message)" }
}
