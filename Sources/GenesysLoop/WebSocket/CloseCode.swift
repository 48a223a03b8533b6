/// The status code of a Close frame.
///
/// A struct of statics, since peers may send any code of the ranges that RFC 6455 §7.4.2 leaves to applications.
public struct CloseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number in the frame.
    public let rawValue: UInt16

    /// Wraps a number, which need not be a valid code.
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// The number and, for a registered code, its meaning.
    public var description: String {
        guard let meaning else { return "\(rawValue)" }
        return "\(rawValue) (\(meaning))"
    }

    /// The purpose of the connection has been fulfilled.
    public static let normal = CloseCode(rawValue: 1000)
    /// A server shuts down, or a browser leaves the page.
    public static let goingAway = CloseCode(rawValue: 1001)
    /// The peer broke a rule of the protocol.
    public static let protocolError = CloseCode(rawValue: 1002)
    /// A kind of data that the endpoint cannot accept.
    public static let unsupportedData = CloseCode(rawValue: 1003)
    /// Never on the wire: the Close frame had no code.
    public static let noStatusReceived = CloseCode(rawValue: 1005)
    /// Never on the wire: the connection ended without a Close frame.
    public static let abnormalClosure = CloseCode(rawValue: 1006)
    /// Data that does not fit the type of the message, for example invalid UTF-8 in text.
    public static let invalidPayload = CloseCode(rawValue: 1007)
    /// A message that breaks a policy of the endpoint.
    public static let policyViolation = CloseCode(rawValue: 1008)
    /// A message too big to process.
    public static let messageTooBig = CloseCode(rawValue: 1009)
    /// The client needs an extension that the server did not negotiate.
    public static let mandatoryExtension = CloseCode(rawValue: 1010)
    /// The server met an unexpected condition.
    public static let internalError = CloseCode(rawValue: 1011)
    /// The service restarts; reconnect after a random delay.
    public static let serviceRestart = CloseCode(rawValue: 1012)
    /// The service is overloaded; try again later.
    public static let tryAgainLater = CloseCode(rawValue: 1013)
    /// A gateway received an invalid response from upstream.
    public static let badGateway = CloseCode(rawValue: 1014)
    /// Never on the wire: the TLS handshake failed.
    public static let tlsHandshake = CloseCode(rawValue: 1015)

    /// Whether a Close frame may carry the code (RFC 6455 §7.4.1, §7.4.2 and the IANA registry).
    ///
    /// 1004 is reserved; 1005, 1006 and 1015 are only for reports; 1016 to 2999 are not registered.
    public var isValidOnWire: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    /// Whether an application may close with the code: 1000 or 3000–4999.
    ///
    /// Only the protocol sends the others.
    public var isSendable: Bool {
        rawValue == 1000 || (3000...4999).contains(rawValue)
    }

    /// The end of a clause about a Close frame with this code.
    var clause: String {
        self == .noStatusReceived ? "without a code" : "with code \(self)"
    }

    private var meaning: String? {
        switch rawValue {
        case 1000: "normal closure"
        case 1001: "going away"
        case 1002: "protocol error"
        case 1003: "unsupported data"
        case 1005: "no status received"
        case 1006: "abnormal closure"
        case 1007: "invalid payload data"
        case 1008: "policy violation"
        case 1009: "message too big"
        case 1010: "mandatory extension"
        case 1011: "internal error"
        case 1012: "service restart"
        case 1013: "try again later"
        case 1014: "bad gateway"
        case 1015: "TLS handshake"
        default: nil
        }
    }
}
