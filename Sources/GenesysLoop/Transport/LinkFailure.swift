/// Why a link could not be made, or ended: the cause, with the type of the layer that found it.
///
/// `ChannelFailure` and `WebSocketFailure` are its public views; only `Client` makes them. A cause may hold what must
/// not be shown: the URI, and the peer's words as they arrived.
///
/// A `proxy` beside a cause means that the link was on its way to that proxy; nil means the server.
indirect enum LinkFailure: Error, Hashable, Sendable {
    /// The phase of a link.
    enum Phase: Hashable, Sendable {
        case dns, connect, proxy, tls, upgrade, open, close
    }

    /// The host's URI cannot be used.
    case invalidURI(InvalidURI)
    /// The upgrade request cannot be written.
    case invalidHeader(InvalidHeader)
    /// A variable of the environment names a proxy that cannot be used.
    case invalidProxyVariable(ProxyRules.InvalidVariable)
    /// The host has no known address.
    case unresolved(ResolverError, proxy: ProxyURI?)
    /// No address accepted a TCP connection. `error` is the last one; `tried` has the result of each address.
    case unreachable(UVError, tried: [String], proxy: ProxyURI?)
    /// The phase exceeded its deadline; `tried` has what it was waiting for, where that is known.
    case timeout(Phase, tried: [String], proxy: ProxyURI?)
    /// The proxy did not open a tunnel.
    case proxy(ProxyError, of: ProxyURI, at: WallTime)
    /// TLS with the proxy failed before the tunnel was open.
    case proxyTLS(TLSError, of: ProxyURI)
    /// TLS with the proxy failed while the link used the tunnel.
    case tunnelTLS(TLSError, of: ProxyURI, during: Phase)
    /// TLS with the server failed.
    case tls(TLSError, during: Phase)
    /// The server answered the upgrade with an HTTP status other than 101.
    case refused(RefusedUpgrade)
    /// The answer to the upgrade breaks a rule: a sentence about it, and the section of the rule.
    case invalidHandshake(rule: String, section: String)
    /// The peer broke a rule of the WebSocket protocol, or exceeded a limit.
    case violation(WebSocketViolation)
    /// The peer sent a Close frame.
    case closed(CloseFrame, during: Phase)
    /// The peer ended the connection without a Close frame; `isTruncated` if also without close_notify.
    case ended(isTruncated: Bool, during: Phase)
    /// The connection broke.
    case broke(UVError, during: Phase)
    /// The owner gave the link up before it was open.
    case abandoned
}

/// An answer to the upgrade with an HTTP status other than 101.
struct RefusedUpgrade: Hashable, Sendable {
    let answer: HTTPRefusal
    /// The URI that was asked for.
    let uri: WebSocketURI
    /// When the answer arrived.
    let time: WallTime
    /// Why its redirect was not followed; nil if it has none, or if redirects are off.
    var redirectError: RedirectError?
}

/// A Close frame of the peer.
struct CloseFrame: Hashable, Sendable {
    /// Its code; `.noStatusReceived` if it has none.
    let code: CloseCode
    /// Its reason as the peer sent it; empty without one.
    let reason: String
    /// Its reason without what repeats secrets of the URI.
    let safeReason: String
}

extension LinkFailure {
    init(_ failure: UpgradeFailure, of uri: WebSocketURI, at time: WallTime) {
        switch failure {
        case .refused(let answer): self = .refused(RefusedUpgrade(answer: answer, uri: uri, time: time))
        case .invalid(let rule, let section): self = .invalidHandshake(rule: rule, section: section)
        }
    }

    /// The phase in which the link failed.
    var phase: Phase {
        switch self {
        case .invalidURI: .dns
        case .unresolved(let error, proxy: nil): error.isAboutInterface ? .connect : .dns
        case .unreachable(_, _, proxy: nil): .connect
        case .unresolved, .unreachable, .invalidProxyVariable, .proxy, .proxyTLS: .proxy
        case .invalidHeader, .refused, .invalidHandshake: .upgrade
        // With TLS 1.3 the refusal arrives after the client's handshake is complete (RFC 8446 §4.4.2.4).
        case .tls(let error, during: _) where error.isClientCertificateRefused: .tls
        case .timeout(let phase, _, _), .tunnelTLS(_, _, let phase), .tls(_, let phase), .closed(_, let phase),
            .ended(_, let phase), .broke(_, let phase):
            phase
        case .violation: .open
        case .abandoned: .close
        }
    }

    /// What happened, as a clause without secrets; nil where the kind of the failure says it all.
    ///
    /// The reason of a Close frame is not a part of it.
    var clause: String? {
        switch self {
        case .invalidURI, .invalidHeader, .timeout, .abandoned, .unresolved(_, proxy: nil),
            .unreachable(_, _, proxy: nil):
            nil
        case .unresolved(let error, let proxy?) where !error.isAboutInterface:
            "the name of the proxy \(proxy) could not be resolved: \(Sentence.clause(error.text))"
        case .unresolved(let error, let proxy?):
            "no connection to the proxy \(proxy) could be made: \(Sentence.clause(error.text))"
        case .unreachable(_, let tried, let proxy?):
            "no connection to the proxy \(proxy) could be made: \(Sentence.clause(tried.joined(separator: "; ")))"
        case .invalidProxyVariable(let error): error.clause
        case .proxy(let error, let proxy, _): "the proxy \(proxy) \(error.clause)"
        case .proxyTLS(let error, let proxy): "the proxy \(proxy): \(error.clause)"
        case .tunnelTLS(let error, let proxy, _): "the connection broke (TLS with the proxy \(proxy): \(error.clause))"
        case .tls(let error, _): error.clause
        case .refused(let refusal): (refusal.redirectError?.description).map(Sentence.clause)
        case .invalidHandshake(let rule, let section): "\(Sentence.clause(rule)) (\(section))"
        case .violation(let violation): violation.clause
        case .closed(let frame, _): "the peer closed the connection \(frame.code.clause)"
        case .ended(let isTruncated, let phase): LinkFailure.clause(ofEnd: phase, isTruncated: isTruncated)
        case .broke(let error, _): "the connection broke (\(error.operation): \(error.text))"
        }
    }

    /// An end without a Close frame (1006 in the terms of RFC 6455 §7.1.5); before the upgrade there are no frames.
    private static func clause(ofEnd phase: Phase, isTruncated: Bool) -> String {
        let end = "the peer ended the connection"
        guard phase == .open || phase == .close else { return end }
        return isTruncated ? "\(end) without a Close frame and without close_notify" : "\(end) without a Close frame"
    }
}
