/// The parts of a failure's sentence that come from the error below it.
extension ChannelFailure {
    /// What the error below says, as a clause; it says all that the plain words would say, and more.
    func said(or plain: String) -> String {
        guard let text = underlying?.text, !text.isEmpty else { return plain }
        return ChannelFailure.clause(text)
    }

    /// The rule that the peer broke, and where it stands (TLS's own faults name no section).
    func brokenRule(or plain: String) -> String {
        let rule = said(or: plain)
        guard let section = underlying?.operation, section.hasPrefix("RFC ") else { return rule }
        return "\(rule) (\(section))"
    }

    /// ": …" with what the error below says, an alert for example; nothing where there is none.
    var addition: String {
        guard let text = underlying?.text, !text.isEmpty else { return "" }
        return ": \(ChannelFailure.clause(text))"
    }

    /// How a connection ended.
    var ending: String {
        guard let underlying else { return "the peer ended the connection" }
        switch underlying.operation {
        case "close":
            let code = CloseCode(rawValue: UInt16(clamping: underlying.code))
            let how = code == .noStatusReceived ? "without a code" : "with code \(code)"
            return "the peer closed the connection \(how)\(closingWords)"
        case "read" where underlying.code == Int(CloseCode.abnormalClosure.rawValue):
            return underlying.text
        default:
            return "the connection broke (\(underlying.operation): \(underlying.text))"
        }
    }

    /// ": “…”" with the reason of the Close frame behind this failure; nothing without one.
    var closingWords: String {
        guard let underlying, underlying.operation == "close", !underlying.text.isEmpty else { return "" }
        return ": “\(underlying.text)”"
    }

    var phaseName: String {
        switch phase {
        case .dns: "name resolution"
        case .connect: "TCP connection"
        case .proxy: "proxy handshake"
        case .tls: "TLS handshake"
        case .upgrade: "WebSocket upgrade"
        case .subscribe: "subscription"
        case .open: "wait for data"
        case .close: "closing handshake"
        }
    }

    /// A sentence as a part of another one: without its full stop, and with a small letter unless it begins with a name.
    static func clause(_ sentence: String) -> String {
        let body = sentence.hasSuffix(".") ? sentence.dropLast() : Substring(sentence)
        let word = body.prefix { $0.isLetter }
        guard word.dropFirst().allSatisfy(\.isLowercase) else { return String(body) }
        return body.prefix(1).lowercased() + body.dropFirst()
    }

    /// Without what a peer may have put into it to disturb a terminal or a log.
    static func printable(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { scalar -> Unicode.Scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: " "
            default: scalar
            }
        }
        return String(String.UnicodeScalarView(scalars))
    }
}
