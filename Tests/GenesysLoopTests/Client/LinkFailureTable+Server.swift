import Testing

@testable import GenesysLoop

extension LinkFailureTable {
    /// TLS with the server and with the proxy.
    static func tls(_ proxy: ProxyURI) -> [Row] {
        [
            Row(
                .tls(certificate, during: .tls), .tlsExpired, .tls, "certificate,final",
                below: "SSL_do_handshake/7/The peer's certificate is not trusted: “a” expired.",
                "the peer's certificate is not trusted: “a” expired. Check that certificate and this machine's clock."),
            Row(
                .proxyTLS(certificate, of: proxy), .tlsExpired, .proxy, "certificate,final",
                below: """
                    SSL_do_handshake/7/the proxy http://proxy.test:3128: the peer's certificate is not trusted: “a” expired
                    """,
                """
                the proxy http://proxy.test:3128: the peer's certificate is not trusted: “a” expired. Check that \
                certificate and this machine's clock.
                """),
            Row(
                .tls(alert, during: .tls), .tlsHandshake, .tls, "",
                below: "SSL_do_handshake/7/The peer ended TLS with the alert “handshake failure” (40).",
                "the peer ended TLS with the alert “handshake failure” (40)."),
            Row(
                .proxyTLS(alert, of: proxy), .proxy, .proxy, "",
                below: """
                    SSL_do_handshake/7/the proxy http://proxy.test:3128: the peer ended TLS with the alert “handshake \
                    failure” (40)
                    """,
                "the proxy http://proxy.test:3128: the peer ended TLS with the alert “handshake failure” (40)."),
            Row(
                .tls(client, during: .tls), .tlsClientCertificate, .tls, "certificate,final",
                below: "SSL_do_handshake/7/The peer ended TLS with the alert “certificate required” (116).",
                """
                the server wants a client certificate, or refused ours: the peer ended TLS with the alert “certificate \
                required” (116).
                """),
            Row(
                .tls(client, during: .open), .tlsClientCertificate, .tls, "certificate,final",
                below: "SSL_do_handshake/7/The peer ended TLS with the alert “certificate required” (116).",
                """
                the server wants a client certificate, or refused ours: the peer ended TLS with the alert “certificate \
                required” (116).
                """),
            Row(
                .proxyTLS(client, of: proxy), .tlsClientCertificate, .proxy, "certificate,final",
                below: """
                    SSL_do_handshake/7/the proxy http://proxy.test:3128: the peer ended TLS with the alert \
                    “certificate required” (116)
                    """,
                """
                the proxy wants a client certificate, or refused ours: the proxy http://proxy.test:3128: the peer \
                ended TLS with the alert “certificate required” (116).
                """),
            Row(
                .tls(missing, during: .tls), .tlsClientCertificate, .tls, "certificate,final",
                below: """
                    SSL_do_handshake/7/The server wants a client certificate, and none that suits it is configured: it \
                    ended TLS with the alert “bad certificate” (42).
                    """,
                """
                the server wants a client certificate, or refused ours: the server wants a client certificate, and \
                none that suits it is configured: it ended TLS with the alert “bad certificate” (42).
                """),
            Row(
                .tls(tls(.notTLS), during: .tls), .protocolViolation, .tls, "",
                below:
                    "SSL_do_handshake/7/The peer does not speak TLS on this port: its first bytes are no TLS record.",
                "the peer does not speak TLS on this port: its first bytes are no TLS record."),
            Row(
                .tls(broken, during: .open), .protocolViolation, .open, "",
                below: "SSL_do_handshake/7/The peer broke the TLS protocol: bad record mac.",
                "the peer broke the TLS protocol: bad record mac."),
            Row(
                .proxyTLS(broken, of: proxy), .proxy, .proxy, "",
                below:
                    "SSL_do_handshake/7/the proxy http://proxy.test:3128: the peer broke the TLS protocol: bad record mac",
                "the proxy http://proxy.test:3128: the peer broke the TLS protocol: bad record mac."),
            Row(
                .tls(.configuration("The CA file /x does not exist."), during: .tls), .tlsHandshake, .tls, "",
                below: "configure/0/The CA file /x does not exist.",
                "the CA file /x does not exist."),
            Row(
                .tls(tls(.version, "unsupported protocol"), during: .tls), .tlsHandshake, .tls, "",
                below: "SSL_do_handshake/7/The peer offers no acceptable TLS version: unsupported protocol.",
                "the peer offers no acceptable TLS version: unsupported protocol."),
            Row(
                .tls(tls(.cipher, "no shared cipher"), during: .tls), .tlsHandshake, .tls, "",
                below: "SSL_do_handshake/7/No acceptable TLS algorithm in common with the peer: no shared cipher.",
                "no acceptable TLS algorithm in common with the peer: no shared cipher."),
            Row(
                .tls(.internal("SSL_new", "no reason given"), during: .tls), .tlsHandshake, .tls, "",
                below: "SSL_new/0/OpenSSL failed in SSL_new: no reason given.",
                "OpenSSL failed in SSL_new: no reason given."),
            Row(
                .tunnelTLS(broken, of: proxy, during: .open), .connectionClosed, .open, "retryable",
                below: "TLS with the proxy http://proxy.test:3128/7/the peer broke the TLS protocol: bad record mac",
                """
                the connection broke (TLS with the proxy http://proxy.test:3128: the peer broke the TLS protocol: bad \
                record mac).
                """),
            Row(
                .tunnelTLS(broken, of: proxy, during: .tls), .connectionClosed, .tls, "retryable",
                below: "TLS with the proxy http://proxy.test:3128/7/the peer broke the TLS protocol: bad record mac",
                """
                the connection broke (TLS with the proxy http://proxy.test:3128: the peer broke the TLS protocol: bad \
                record mac) during the TLS handshake.
                """),
        ]
    }

    /// From the upgrade on.
    static func server(_ uri: WebSocketURI) throws -> [Row] {
        func refusal(_ status: Int, _ headers: [String] = [], body: String = "") throws -> LinkFailure {
            LinkFailure(.refused(try .of(status, headers, body: body)), of: uri, at: now)
        }
        func redirect(_ error: RedirectError?) throws -> LinkFailure {
            let headers = ["Location: /sso?secret", "Content-Type: text/html"]
            let answer = try HTTPRefusal.of(302, headers, reason: "Moved over")
            return .refused(RefusedUpgrade(answer: answer, uri: uri, time: now, redirectError: error))
        }
        func closed(_ code: UInt16, _ reason: String, _ phase: LinkFailure.Phase) -> LinkFailure {
            .closed(CloseFrame(code: CloseCode(rawValue: code), reason: reason, safeReason: reason), during: phase)
        }
        return try [
            Row(
                refusal(200), .invalidStatusCode, .upgrade, "",
                said: "- | - | - | 200 | -",
                "the server answered the upgrade with HTTP status 200. Check that the URI names a WebSocket."),
            Row(
                refusal(302), .invalidStatusCode, .upgrade, "",
                said: "- | - | - | 302 | -",
                "the server answered the upgrade with HTTP status 302."),
            Row(
                refusal(400), .invalidStatusCode, .upgrade, "",
                said: "- | - | - | 400 | -",
                "the server answered the upgrade with HTTP status 400. Check that the URI names a WebSocket."),
            Row(
                refusal(401), .httpUnauthorized, .upgrade, "final",
                said: "- | - | - | 401 | -",
                "the service answered 401, unauthorized. Get a new token and a new channel.",
                webSocket: "the server answered the upgrade with HTTP status 401."),
            Row(
                refusal(403), .httpForbidden, .upgrade, "final",
                said: "- | - | - | 403 | -",
                """
                the service answered 403, forbidden. Check whether a gateway or a firewall answered in the service's \
                place; if not, create a new channel.
                """,
                webSocket: "the server answered the upgrade with HTTP status 403."),
            Row(
                refusal(404), .httpNotFound, .upgrade, "final",
                said: "- | - | - | 404 | -",
                """
                the service answered 404: the channel has expired, was evicted, or its token expired. Create a new \
                channel over REST.
                """,
                webSocket: "the server answered the upgrade with HTTP status 404."),
            Row(
                refusal(429), .httpTooManyRequests, .upgrade, "retryable",
                said: "- | - | - | 429 | -",
                "the service answered 429, too many requests.",
                webSocket: "the server answered the upgrade with HTTP status 429."),
            Row(
                refusal(503), .invalidStatusCode, .upgrade, "retryable",
                said: "- | - | - | 503 | -",
                "the server answered the upgrade with HTTP status 503."),
            Row(
                refusal(
                    401, ["ININ-Correlation-Id: a1", "Retry-After: 9"], body: #"{"message":"No channels/x here."}"#),
                .httpUnauthorized, .upgrade, "final",
                said: "No channels/x here. | a1 | - | 401 | 9.0 seconds",
                """
                the service answered 401, unauthorized (the server said: No channels/x here; its correlation id is \
                a1); it asks to wait 9 s. Get a new token and a new channel.
                """,
                webSocket: """
                    the server answered the upgrade with HTTP status 401 (the server said: No channels/x here; its \
                    correlation id is a1); it asks to wait 9 s.
                    """),
            Row(
                redirect(nil), .invalidStatusCode, .upgrade, "",
                said: "Moved over | - | h | 302 | -",
                """
                the server redirected the upgrade to h (HTTP status 302) (the server said: Moved over). Check whether \
                a gateway wants a log-in there; follow redirects only if that host is to be trusted.
                """),
            Row(
                redirect(.tooMany(limit: 3)), .invalidStatusCode, .upgrade, "",
                said: "Moved over | - | h | 302 | -",
                below: "RFC 9110 §15.4/302/it is one redirect more than the limit of 3",
                """
                the server redirected the upgrade to h (HTTP status 302): it is one redirect more than the limit of 3 \
                (the server said: Moved over).
                """),
            Row(
                redirect(.unencrypted), .invalidStatusCode, .upgrade, "",
                said: "Moved over | - | h | 302 | -",
                below: "RFC 9110 §15.4/302/it redirects from wss: to ws:",
                """
                the server redirected the upgrade to h (HTTP status 302): it redirects from wss: to ws: (the server \
                said: Moved over).
                """),
            Row(
                redirect(.invalid(InvalidURI("The URI has no host."))), .invalidStatusCode, .upgrade, "",
                said: "Moved over | - | h | 302 | -",
                below: "RFC 9110 §15.4/302/its redirect leads to no WebSocket: The URI has no host.",
                """
                the server redirected the upgrade to h (HTTP status 302): its redirect leads to no WebSocket: The URI \
                has no host (the server said: Moved over).
                """),
            Row(
                .invalidHandshake(rule: "The response has no header Upgrade: websocket.", section: "RFC 6455 §4.1"),
                .invalidHandshake, .upgrade, "",
                below: "RFC 6455 §4.1/0/The response has no header Upgrade: websocket.",
                "the response has no header Upgrade: websocket (RFC 6455 §4.1)."),
            Row(
                .violation(.maskedServerFrame), .protocolViolation, .open, "",
                below: "RFC 6455 §5.1/1002/The server sent a masked frame.",
                "the server sent a masked frame (RFC 6455 §5.1)."),
            Row(
                .violation(.invalidUTF8), .protocolViolation, .open, "",
                below: "RFC 6455 §8.1/1007/The peer sent a text message that is not UTF-8.",
                "the peer sent a text message that is not UTF-8 (RFC 6455 §8.1)."),
            Row(
                .violation(.messageTooLarge), .messageTooLarge, .open, "final",
                below: "RFC 6455 §10.4/1009/The peer sent a message larger than the limit.",
                "a message is larger than the limit. Raise the maximum message size if such messages are expected."),
            Row(
                .violation(.tooManyFrames), .protocolViolation, .open, "",
                below: "RFC 6455 §10.4/1008/The peer sent a message in more frames than the limit.",
                "the peer sent a message in more frames than the limit (RFC 6455 §10.4)."),
            Row(
                closed(1000, "", .open), .connectionClosed, .open, "retryable",
                below: "close/1000/",
                "the peer closed the connection with code 1000 (normal closure)."),
            Row(
                closed(1005, "", .close), .connectionClosed, .close, "retryable",
                below: "close/1005/",
                "the peer closed the connection without a code during the closing handshake."),
            Row(
                closed(1006, "odd", .open), .connectionClosed, .open, "retryable",
                below: "close/1006/odd",
                "the peer closed the connection with code 1006 (abnormal closure): “odd”."),
            Row(
                closed(4003, "so long…", .close), .connectionClosed, .close, "retryable",
                below: "close/4003/so long…",
                "the peer closed the connection with code 4003: “so long…” during the closing handshake."),
            Row(
                .ended(isTruncated: true, during: .tls), .connectionClosed, .tls, "retryable",
                below: "read/1006/the peer ended the connection",
                "the peer ended the connection during the TLS handshake."),
            Row(
                .ended(isTruncated: false, during: .upgrade), .connectionClosed, .upgrade, "retryable",
                below: "read/1006/the peer ended the connection",
                "the peer ended the connection during the WebSocket upgrade."),
            Row(
                .ended(isTruncated: false, during: .open), .connectionClosed, .open, "retryable",
                below: "read/1006/the peer ended the connection without a Close frame",
                "the peer ended the connection without a Close frame."),
            Row(
                .ended(isTruncated: true, during: .open), .connectionClosed, .open, "retryable",
                below: "read/1006/the peer ended the connection without a Close frame and without close_notify",
                "the peer ended the connection without a Close frame and without close_notify."),
            Row(
                .ended(isTruncated: true, during: .close), .connectionClosed, .close, "retryable",
                below: "read/1006/the peer ended the connection without a Close frame and without close_notify",
                """
                the peer ended the connection without a Close frame and without close_notify during the closing \
                handshake.
                """),
            Row(
                .broke(reset, during: .tls), .connectionClosed, .tls, "retryable",
                below: "read/\(reset.code)/connection reset by peer",
                "the connection broke (read: connection reset by peer) during the TLS handshake."),
            Row(
                .broke(reset, during: .open), .connectionClosed, .open, "retryable",
                below: "read/\(reset.code)/connection reset by peer",
                "the connection broke (read: connection reset by peer)."),
            Row(
                .broke(reset, during: .close), .connectionClosed, .close, "retryable",
                below: "read/\(reset.code)/connection reset by peer",
                "the connection broke (read: connection reset by peer) during the closing handshake."),
            Row(
                .abandoned, .connectionClosed, .close, "retryable",
                "the peer ended the connection during the closing handshake."),
        ]
    }
}
