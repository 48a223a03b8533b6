/// The user and the password for a proxy. No printed form contains them.
package struct ProxyCredentials: Hashable, Sendable {
    package let user: [UInt8]
    package let password: [UInt8]

    init(user: [UInt8], password: [UInt8]) {
        self.user = user
        self.password = password
    }

    /// Parses `user:password`; the first colon ends the user. Nothing is percent-decoded.
    ///
    /// - Returns: nil without a colon, or with a control character.
    package init?(_ pair: [UInt8]) {
        guard let colon = pair.firstIndex(of: .colon), ProxyCredentials.allows(pair) else { return nil }
        self.init(user: Array(pair[..<colon]), password: Array(pair[(colon + 1)...]))
    }

    /// Whether no byte is a control character, which RFC 7617 §2 forbids.
    static func allows(_ bytes: [UInt8]) -> Bool { bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }
}

extension ProxyCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "user:password" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
