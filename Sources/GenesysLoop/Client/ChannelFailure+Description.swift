extension ChannelFailure: CustomStringConvertible {
    /// One sentence that says what was being done, what happened and in which phase; then what to do about it, if
    /// anything. It holds no secret.
    public var description: String { sentence(after: prefix) }

    /// The sentence, after a prefix that says what was being done.
    func sentence(after prefix: String) -> String {
        let sentence = prefix + clause + (specialAdvice.map { ". \($0)" } ?? "")
        return ChannelFailure.printable(sentence + ".")
    }

    /// What happened, as a clause: neither what was being done nor what to do.
    package var clause: String {
        var clause = cause
        if let detail { clause += " (\(detail))" }
        if let retryAfter { clause += "; it asks to wait \(retryAfter.components.seconds) s" }
        return ChannelFailure.printable(clause)
    }

    private var prefix: String {
        if isLocalRefusal { return "The topics cannot be subscribed to: " }
        switch kind {
        case .connection, .authorization, .subscription: return "The channel could not be opened: "
        case .receive: return "The channel was lost: "
        case .reconnect: return "The channel was lost and could not be recovered: "
        case .lifetimeExtension: return "The channel's life could not be extended: "
        case .rollover: return "The rollover failed and the old connection goes on: "
        }
    }

    /// Topics that were refused before the service was asked.
    private var isLocalRefusal: Bool {
        reason == .subscriptionRefused && status == nil && message != nil && !isOverREST
    }

    /// Details that the cause does not contain.
    private var detail: String? {
        switch reason {
        case .invalidURI: return nil
        case .subscriptionRefused where isLocalRefusal: return nil
        case .dns, .connect, .timeout:
            guard let text = message ?? underlying?.text, !text.isEmpty else { return nil }
            return text
        default:
            let words = message.flatMap { text in
                text.isEmpty ? nil : "\(speaker) said: \(text.hasSuffix(".") ? text.dropLast() : text[...])"
            }
            let parts = [words, correlationID.map { "its correlation id is \($0)" }].compactMap(\.self)
            return parts.isEmpty ? nil : parts.joined(separator: "; ")
        }
    }

    /// The author of the message: an upgrade may be answered by something other than the service.
    private var speaker: String {
        switch phase {
        case .proxy: "the proxy"
        case .upgrade, .token, .provision: "the server"
        case .dns, .connect, .tls, .subscribe, .open, .close: "the service"
        }
    }

    /// The peer whose certificate was refused, or that our certificate was shown to.
    private var tlsPeer: String { phase == .proxy ? "the proxy" : "the server" }

    private var cause: String {
        guard isOverREST, let clause = causeText?.clause else { return connectionCause }
        return clause
    }

    private var connectionCause: String {
        switch reason {
        case .dns: "the host name could not be resolved"
        case .connect: "no TCP connection could be made"
        case .timeout: "the \(phaseName) took longer than its deadline"
        case .proxy: said(or: "the proxy refused or broke off")
        case .tlsExpired: said(or: "\(tlsPeer)'s certificate, or one of its issuers, has expired")
        case .tlsNotYetValid: said(or: "\(tlsPeer)'s certificate, or one of its issuers, is not valid yet")
        case .tlsHostMismatch: said(or: "\(tlsPeer)'s certificate does not name this host")
        case .tlsUnknownIssuer: said(or: "\(tlsPeer)'s certificate was issued by an authority that is not trusted")
        case .tlsSelfSigned: said(or: "\(tlsPeer)'s certificate is self-signed and not trusted")
        case .tlsPinMismatch: said(or: "no certificate of \(tlsPeer) matches a configured pin")
        case .tlsClientCertificate: "\(tlsPeer) wants a client certificate, or refused ours\(addition)"
        case .tlsHandshake: said(or: "the TLS handshake failed")
        case .httpUnauthorized: "the service answered 401, unauthorized"
        case .httpForbidden: "the service answered 403, forbidden"
        case .httpNotFound: "the service answered 404: the channel has expired, was evicted, or its token expired"
        case .httpTooManyRequests: "the service answered 429, too many requests"
        case .invalidStatusCode where isRedirect:
            "the server redirected the upgrade to \(location ?? "") (HTTP status \(status ?? 0))\(addition)"
        case .invalidStatusCode: "the server answered the upgrade with HTTP status \(status ?? 0)\(addition)"
        case .invalidHandshake: said(or: "the server's answer to the upgrade breaks HTTP or RFC 6455")
        case .invalidURI: message.map(Sentence.clause) ?? "the URI is not a usable ws: or wss: URI"
        case .invalidMessage: "a message is not a JSON object in a text frame"
        case .unrecognizedMessage: "a message is neither a notification nor a known reply"
        case .connectionClosed:
            said(or: "the peer ended the connection") + closingWords
                + (phase == .open ? "" : " during the \(phaseName)")
        case .heartbeatLost: "nothing was heard from the service and it did not answer a ping"
        case .channelExpired: "its life of 24 hours ended\(closingWords)"
        case .channelClosing: "the service closed the socket for maintenance\(closingWords)"
        case .channelTakenOver where kind == .receive:
            "another client uses the same channel and has taken it over\(closingWords)"
        case .channelTakenOver:
            "another client uses the same channel and takes it over again and again\(closingWords)"
        case .subscriptionRefused where isLocalRefusal: message ?? ""
        case .subscriptionRefused: "the service refused the subscription\(status.map { " with \($0)" } ?? "")"
        case .subscriptionTimeout: "the service did not confirm the subscription in time"
        case .messageTooLarge: "a message is larger than the limit"
        case .protocolViolation: said(or: "the peer broke a rule of the protocol")
        case .tokenRevoked: "the tokens of the channel's user were revoked"
        default: said(or: "the cause could not be told")
        }
    }

    private var isOverREST: Bool { phase == .token || phase == .provision }

    private var isRedirect: Bool { location != nil && (300...399).contains(status ?? 0) }

    /// The answer to the upgrade suggests that the URI does not name a WebSocket.
    private var isNoWebSocket: Bool {
        guard let status else { return false }
        return (200...299).contains(status) || [400, 405, 426].contains(status)
    }

    /// What to do about it, in one sentence; never empty.
    package var advice: String {
        if let specialAdvice { return ChannelFailure.printable(specialAdvice + ".") }
        if reason == .subscriptionRefused { return "Check the topics." }
        return switch remedy {
        case .retryLater: "Try again later: it may pass by itself."
        case .newChannel: "Create a new channel over REST."
        case .newToken: "Get a new token and a new channel."
        case .fixConfiguration: "Check the configuration of the channel."
        case .reportToPeer: "Tell those who run the server, or what stands before it."
        }
    }

    private var specialAdvice: String? { isOverREST ? causeText?.advice ?? restAdvice : connectionAdvice }

    /// Where a call of the REST side got no answer, the cause is that of a connection.
    private var restAdvice: String? {
        switch reason {
        case .dns, .connect, .tlsExpired, .tlsNotYetValid, .tlsHostMismatch, .tlsPinMismatch, .tlsUnknownIssuer,
            .tlsSelfSigned:
            connectionAdvice
        default: nil
        }
    }

    private var connectionAdvice: String? {
        switch reason {
        case .dns: "Check the host name and the network"
        case .connect: causeText?.advice ?? "Check the network, the firewall and the port"
        case .timeout where phase == .connect: "Check the network, the firewall and the port"
        case .timeout where phase == .dns: "Check the network and this machine's name servers"
        case .proxy: causeText?.advice
        case .tlsExpired, .tlsNotYetValid: "Check that certificate and this machine's clock"
        case .tlsHostMismatch: "Connect to a name that the certificate lists"
        case .tlsPinMismatch: "Add the new key's pin if \(tlsPeer) changed its key on purpose"
        case .tlsUnknownIssuer, .tlsSelfSigned: "Give the authority's certificate as a CA file if you trust it"
        case .httpUnauthorized, .tokenRevoked: "Get a new token and a new channel"
        case .httpForbidden where phase == .upgrade:
            "Check whether a gateway or a firewall answered in the service's place; if not, create a new channel"
        case .httpForbidden: "Check the permissions that the topics need"
        case .invalidStatusCode where isRedirect && causeText?.clause == nil:
            "Check whether a gateway wants a log-in there; follow redirects only if that host is to be trusted"
        case .invalidStatusCode where isNoWebSocket: "Check that the URI names a WebSocket"
        case .httpNotFound, .channelExpired: "Create a new channel over REST"
        case .channelTakenOver: "Give each client a channel of its own"
        case .subscriptionRefused where message == nil: "Check the topics"
        case .messageTooLarge: "Raise the maximum message size if such messages are expected"
        default: nil
        }
    }
}

/// The parts of a failure's sentence that the cause of a link's failure rendered.
extension ChannelFailure {
    /// The clause of the cause, which says everything that the plain words say, and more.
    func said(or plain: String) -> String { causeText?.clause ?? plain }

    /// ": …" with the clause of the cause, for example an alert; empty without one.
    var addition: String { causeText?.clause.map { ": \($0)" } ?? "" }

    /// ": “…”" with the reason of the Close frame behind this failure; empty without one.
    var closingWords: String {
        guard let reason = causeText?.closeReason, !reason.isEmpty else { return "" }
        return ": “\(reason)”"
    }

    var phaseName: String {
        switch phase {
        case .token: "request for a token"
        case .provision: "request that makes a channel"
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
}
