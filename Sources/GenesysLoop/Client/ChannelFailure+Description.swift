extension ChannelFailure: CustomStringConvertible {
    /// One sentence: what happened, in which phase, and what to do about it. It holds no secret.
    public var description: String {
        var sentence = "\(prefix)\(cause)"
        if let message, !message.isEmpty {
            sentence += isFromService ? " (the service said: \(message))" : " (\(message))"
        }
        if let underlying, showsUnderlying { sentence += " [\(underlying.operation): \(underlying.text)]" }
        if let retryAfter { sentence += "; it asks to wait \(retryAfter.components.seconds) s" }
        if let advice { sentence += ". \(advice)" }
        return sentence + "."
    }

    private var prefix: String {
        switch kind {
        case .connection, .authorization, .subscription: "The channel could not be opened: "
        case .receive: "The channel was lost: "
        case .reconnect: "The channel was lost and could not be recovered: "
        case .lifetimeExtension: "The channel's life could not be extended: "
        case .rollover: "The rollover failed and the old connection goes on: "
        }
    }

    private var isFromService: Bool {
        status != nil || reason == .tokenRevoked || reason == .channelTakenOver
    }

    private var showsUnderlying: Bool {
        guard let underlying else { return false }
        return !underlying.text.isEmpty
    }

    private var cause: String {
        switch reason {
        case .dns: "the host name could not be resolved"
        case .connect: "no TCP connection could be made"
        case .timeout: "the \(phaseName) took longer than its deadline"
        case .proxy: "the proxy refused or broke off"
        case .tlsExpired: "the server's certificate, or one of its issuers, has expired"
        case .tlsNotYetValid: "the server's certificate, or one of its issuers, is not valid yet"
        case .tlsHostMismatch: "the server's certificate does not name this host"
        case .tlsUnknownIssuer: "the server's certificate was issued by an authority that is not trusted"
        case .tlsSelfSigned: "the server's certificate is self-signed and not trusted"
        case .tlsPinMismatch: "no certificate of the server matches a configured pin"
        case .tlsClientCertificate: "the server wants a client certificate, or refused ours"
        case .tlsHandshake where isCertificateFault: "the server's certificate is not acceptable"
        case .tlsHandshake: "the TLS handshake failed"
        case .httpUnauthorized: "the service answered 401, unauthorized"
        case .httpForbidden: "the service answered 403, forbidden"
        case .httpNotFound: "the service answered 404: the channel has expired, was evicted, or its token expired"
        case .httpTooManyRequests: "the service answered 429, too many requests"
        case .invalidStatusCode: "the server answered the upgrade with HTTP status \(status ?? 0)"
        case .invalidHandshake: "the server's answer to the upgrade breaks HTTP or RFC 6455"
        case .invalidURI: message == nil ? "the URI is not a usable ws: or wss: URI" : "the URI cannot be used"
        case .invalidMessage: "a message is not a JSON object in a text frame"
        case .unrecognizedMessage: "a message is neither a notification nor a known reply"
        case .connectionClosed: "the peer ended the connection"
        case .heartbeatLost: "nothing was heard from the service and it did not answer a ping"
        case .channelExpired: "its life of 24 hours ended"
        case .channelClosing: "the service closed the socket for maintenance"
        case .channelTakenOver: "another client uses the same channel and takes it over again and again"
        case .subscriptionRefused: "the service refused the subscription"
        case .subscriptionTimeout: "the service did not confirm the subscription in time"
        case .messageTooLarge: "a message is larger than the limit"
        case .protocolViolation: "the peer broke a rule of the \(phase == .tls ? "TLS" : "WebSocket") protocol"
        case .tokenRevoked: "the tokens of the channel's user were revoked"
        default: "the cause could not be told"
        }
    }

    private var advice: String? {
        switch reason {
        case .dns: "Check the host name and the network"
        case .connect, .timeout: "Check the network, the firewall and the port"
        case .tlsExpired, .tlsNotYetValid: "Check the server's certificate and this machine's clock"
        case .tlsHostMismatch: "Connect to a name that the certificate lists"
        case .tlsUnknownIssuer, .tlsSelfSigned: "Give the authority's certificate as a CA file if you trust it"
        case .httpUnauthorized, .tokenRevoked: "Get a new token and a new channel"
        case .httpForbidden: "Check the permissions that the topics need"
        case .httpNotFound, .channelExpired: "Create a new channel over REST"
        case .channelTakenOver: "Give each client a channel of its own"
        case .subscriptionRefused where message == nil: "Check the topics"
        case .messageTooLarge: "Raise the maximum message size if such messages are expected"
        default: nil
        }
    }

    private var phaseName: String {
        switch phase {
        case .dns: "name resolution"
        case .connect: "TCP connection"
        case .proxy: "proxy"
        case .tls: "TLS handshake"
        case .upgrade: "WebSocket upgrade"
        case .subscribe: "subscription"
        case .open: "wait for data"
        case .close: "closing handshake"
        }
    }
}
