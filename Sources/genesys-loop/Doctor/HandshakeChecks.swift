import GenesysLoop

/// The checks of a TLS handshake that succeeded, or of the part before its failure.
struct HandshakeChecks {
    let report: HandshakeReport
    let time: Duration
    let now: WallTime
    /// How many keys are pinned.
    let pinCount: Int
    /// What was offered by ALPN.
    let protocols: [String]

    /// A certificate that ends within this time is worth a warning.
    static let renewalTime: Duration = .seconds(14 * 86_400)

    /// Version, cipher and application protocol.
    var tls: Check {
        guard let negotiated = report.negotiated else {
            return .ok(.tls, after: time, "TLS is established.")
        }
        let chosen =
            negotiated.applicationProtocol.map { "the server chose \($0) by ALPN" }
            ?? (protocols.isEmpty ? "no ALPN" : "the server chose none of \(protocols.joined(separator: ", ")) by ALPN")
        return .ok(.tls, after: time, "\(negotiated.version), \(negotiated.cipher), \(chosen).")
    }

    /// The chain and its dates.
    var certificate: Check {
        guard let first = report.chain.min(by: { HandshakeChecks.ends($0) < HandshakeChecks.ends($1) }),
            let end = first.notAfter
        else { return .ok(.certificate, after: time, "The chain is trusted.") }
        let rest = end - now
        let days = rest.components.seconds / 86_400
        let detail = "The chain is trusted: \(chain); “\(first.subject)” ends in \(days) days, on \(end.day)."
        guard rest < HandshakeChecks.renewalTime else { return .ok(.certificate, after: time, detail) }
        return .warning(
            .certificate, after: time, detail, advice: "Have the certificate of “\(first.subject)” renewed.")
    }

    /// What the server sent and what the client trusts, as the end of a sentence about a chain that is refused.
    var background: String {
        let sent = report.chain.isEmpty ? "" : "; the server sent \(chain)"
        return sent + (report.trust.map { "; the trust store holds \(TrustCheck.text($0))" } ?? "")
    }

    /// "“a” by “b”, “b” by “c”".
    private var chain: String {
        report.chain.map { "“\($0.subject)” by “\($0.issuer)”" }.joined(separator: ", ")
    }

    /// Nil if no key is pinned.
    var pins: Check? {
        guard pinCount > 0 else { return nil }
        return .ok(.pins, after: time, "The chain holds \(pinCount == 1 ? "the pinned key" : "a pinned key").")
    }

    /// The check where the connection ends before the server has said whether it accepts our certificate; nil if it
    /// asked for none.
    var unansweredClientCertificate: Check? {
        switch report.clientCertificate {
        case .sent: .ok(.clientCertificate, after: time, "The server asked for a certificate, and ours was sent.")
        case .missing:
            .warning(
                .clientCertificate, after: time, "The server asked for a certificate, and none that suits it is given.",
                advice: "Give a certificate with --client-certificate and --client-key if the server requires one.")
        case .notRequested: nil
        }
    }

    /// Nil if the server asks for no certificate and none is configured.
    func clientCertificate(isConfigured: Bool) -> Check? {
        switch report.clientCertificate {
        case .sent:
            .ok(.clientCertificate, after: time, "The server asked for a certificate, and accepts ours.")
        case .missing:
            .ok(.clientCertificate, after: time, "The server asked for a certificate, and goes on without one.")
        case .notRequested where isConfigured:
            .ok(.clientCertificate, after: time, "The server asked for no certificate, so ours was not shown.")
        case .notRequested: nil
        }
    }

    private static func ends(_ certificate: CertificateSummary) -> WallTime {
        certificate.notAfter ?? WallTime(seconds: .max)
    }
}

extension WallTime {
    /// "2026-07-31".
    fileprivate var day: Substring { description.prefix { $0 != "T" } }
}

/// The check of what is trusted.
enum TrustCheck {
    static func make(_ trust: TrustReport, after time: Duration) -> Check {
        .ok(.trust, after: time, "The trust store holds \(text(trust)).")
    }

    /// "142 roots (/etc/ssl/certs)".
    static func text(_ trust: TrustReport) -> String {
        let places = trust.sources.map { $0.path ?? "memory" }.joined(separator: ", ")
        return "\(trust.certificateCount) \(trust.certificateCount == 1 ? "root" : "roots") (\(places))"
    }
}

/// The check of this machine's clock against the `Date` of an answer.
enum ClockCheck {
    /// A difference from this on is worth a warning.
    static let tolerance: Duration = .seconds(30)

    /// - Parameters:
    ///   - date: the server's time in whole seconds, when it answered.
    ///   - sent: when the request was sent.
    ///   - received: when the answer arrived.
    static func make(date: WallTime, sent: WallTime, received: WallTime) -> Check {
        // The answer was dated within the second after `date`, between both times.
        let ahead = sent - (date + .seconds(1))
        let behind = date - received
        let difference = max(ahead, behind, .zero)
        guard difference >= tolerance else {
            return .ok(.clock, after: .zero, "This machine's clock agrees with the server's.")
        }
        let side = ahead > behind ? "ahead of" : "behind"
        return .warning(
            .clock, "This machine's clock says \(received) and is \(text(difference)) \(side) the server's.",
            advice: "Set this machine's clock, for example by NTP: with a wrong clock certificates and tokens are "
                + "refused, and the times of gaps are wrong.")
    }

    /// "1 h 2 min 3 s".
    private static func text(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60)
        let parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds % 60, "s")]
        return parts.drop { $0.0 == 0 }.map { "\($0.0) \($0.1)" }.joined(separator: " ")
    }
}
