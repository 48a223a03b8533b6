import CUV
import Testing

@testable import GenesysLoop

@Suite struct ChannelFailureDescriptionTests {
    private static let certificate = TLSError(
        operation: "SSL_do_handshake", code: 10, text: "error:0A000086",
        fault: .certificate(.expired, depth: 0, code: 10, text: "the server's certificate “a” expired on 2026-01-01"))
    private static let alert = TLSError(
        operation: "SSL_do_handshake", code: 40, text: "error:0A000410", fault: .alertReceived(40, "handshake failure"))
    private static let noTLS = TLSError(operation: "SSL_do_handshake", code: 0, text: "", fault: .notTLS)
    private static let reset = UVError(operation: "read", code: UV_ECONNRESET.rawValue)
    private static let refused = UVError(operation: "connect", code: UV_ECONNREFUSED.rawValue)

    private static func close(_ code: UInt16, _ reason: String, _ phase: LinkFailure.Phase = .open) -> ChannelFailure {
        let frame = CloseFrame(code: CloseCode(rawValue: code), reason: reason, safeReason: reason)
        return ChannelFailure(.closed(frame, during: phase)).asKind(.receive)
    }

    /// A Close frame that the channel takes for something else.
    private static func close(
        _ code: UInt16, _ reason: String, as taken: FailureReason, _ kind: ChannelFailure.Kind
    ) -> ChannelFailure {
        var failure = close(code, reason).asKind(kind)
        failure.reason = taken
        return failure
    }

    private static func refused(_ status: Int, _ headers: [String] = [], body: String = "") -> ChannelFailure {
        (try? HTTPRefusal.failure(status, headers, body: body)) ?? ChannelFailure(reason: .ambiguous, phase: .upgrade)
    }

    /// A failure of the REST side, in its own words.
    private static var overREST: ChannelFailure {
        var failure = ChannelFailure(
            kind: .authorization, reason: .httpUnauthorized, phase: .token,
            clause: "the secret of the OAuth client is refused (HTTP status 400)", advice: "Check the client's secret",
            status: 400, isRetryable: false)
        failure.message = "authentication failed"
        failure.correlationID = "a-1"
        return failure
    }

    private static let table: [(ChannelFailure, String)] = [
        (
            overREST,
            """
            The channel could not be opened: the secret of the OAuth client is refused (HTTP status 400) (the server said: \
            authentication failed; its correlation id is a-1). Check the client's secret.
            """
        ),
        (
            ChannelFailure(kind: .reconnect, reason: .timeout, phase: .token),
            """
            The channel was lost and could not be recovered: the request for a token took longer than its deadline.
            """
        ),
        (
            refused(
                401, ["Content-Type: application/json", "ININ-Correlation-Id: 0f6b-11"],
                body: #"{"message":"Invalid login credentials.","code":"bad.credentials","status":401}"#),
            """
            The channel could not be opened: the service answered 401, unauthorized (the server said: Invalid login \
            credentials; its correlation id is 0f6b-11). Get a new token and a new channel.
            """
        ),
        (
            refused(403, body: "Blocked by policy"),
            """
            The channel could not be opened: the service answered 403, forbidden (the server said: Blocked by policy). \
            Check whether a gateway or a firewall answered in the service's place; if not, create a new channel.
            """
        ),
        (
            refused(301, ["Location: https://login.example.com:8443/sso?secret", "Content-Length: 9"]),
            """
            The channel could not be opened: the server redirected the upgrade to login.example.com (HTTP status 301). \
            Check whether a gateway wants a log-in there; follow redirects only if that host is to be trusted.
            """
        ),
        (
            refused(400),
            """
            The channel could not be opened: the server answered the upgrade with HTTP status 400. Check that the URI \
            names a WebSocket.
            """
        ),
        (
            refused(503, ["inin-correlation-id: a"], body: "<html><head><title>x</title></head><h1>Busy</h1></html>"),
            """
            The channel could not be opened: the server answered the upgrade with HTTP status 503 (the server said: Busy; \
            its correlation id is a).
            """
        ),
        (
            ChannelFailure(
                kind: .subscription, reason: .httpForbidden, phase: .subscribe, message: "no permission", status: 403),
            """
            The channel could not be opened: the service answered 403, forbidden (the service said: no permission). \
            Check the permissions that the topics need.
            """
        ),
        (
            ChannelFailure(
                .unresolved(
                    ResolverError(code: -2, text: "Name or service not known", isNoSuchName: true), proxy: nil)),
            """
            The channel could not be opened: the host name could not be resolved (Name or service not known). \
            Check the host name and the network.
            """
        ),
        (
            ChannelFailure(.unreachable(refused, tried: ["127.0.0.1:1: connection refused"], proxy: nil)),
            """
            The channel could not be opened: no TCP connection could be made (127.0.0.1:1: connection refused). \
            Check the network, the firewall and the port.
            """
        ),
        (
            ChannelFailure(reason: .timeout, phase: .upgrade),
            "The channel could not be opened: the WebSocket upgrade took longer than its deadline."
        ),
        (
            ChannelFailure(.broke(reset, during: .tls)),
            """
            The channel could not be opened: the connection broke (read: connection reset by peer) during the TLS \
            handshake.
            """
        ),
        (
            ChannelFailure(.tls(certificate, during: .tls)),
            """
            The channel could not be opened: the peer's certificate is not trusted: the server's certificate “a” \
            expired on 2026-01-01. Check that certificate and this machine's clock.
            """
        ),
        (
            ChannelFailure(.tls(alert, during: .tls)),
            "The channel could not be opened: the peer ended TLS with the alert “handshake failure” (40)."
        ),
        (
            ChannelFailure(.tls(noTLS, during: .tls)),
            """
            The channel could not be opened: the peer does not speak TLS on this port: its first bytes are no TLS \
            record.
            """
        ),
        (
            refused(429, ["Retry-After: 30"]),
            "The channel could not be opened: the service answered 429, too many requests; it asks to wait 30 s."
        ),
        (
            ChannelFailure(
                .invalidHandshake(rule: "The response has no header Upgrade: websocket.", section: "RFC 6455 §4.1")),
            "The channel could not be opened: the response has no header Upgrade: websocket (RFC 6455 §4.1)."
        ),
        (
            ChannelFailure(.violation(.maskedServerFrame)).asKind(.receive),
            "The channel was lost: the server sent a masked frame (RFC 6455 §5.1)."
        ),
        (
            ChannelFailure(.violation(.messageTooLarge)).asKind(.receive),
            """
            The channel was lost: a message is larger than the limit. Raise the maximum message size if such \
            messages are expected.
            """
        ),
        (
            close(1_000, "expired", as: .channelExpired, .lifetimeExtension),
            """
            The channel's life could not be extended: its life of 24 hours ended: “expired”. Create a new channel over \
            REST.
            """
        ),
        (close(1001, ""), "The channel was lost: the peer closed the connection with code 1001 (going away)."),
        (close(1005, ""), "The channel was lost: the peer closed the connection without a code."),
        (
            close(4000, "bye\u{1B}[2J\nnow", .upgrade),
            """
            The channel was lost: the peer closed the connection with code 4000: “bye [2J now” during the \
            WebSocket upgrade.
            """
        ),
        (
            ChannelFailure(
                kind: .subscription, reason: .subscriptionRefused, phase: .subscribe, message: "no such topic",
                status: 400),
            """
            The channel could not be opened: the service refused the subscription with 400 (the service said: no \
            such topic).
            """
        ),
    ]

    @Test(arguments: [FailureReason.channelClosing, .channelTakenOver])
    func `the words of a Close frame are told whatever the end is taken for`(reason: FailureReason) {
        let failure = Self.close(1_008, "by and by", as: reason, .reconnect)
        #expect(failure.description.contains(": “by and by”"))
    }

    @Test(arguments: table.indices)
    func `a failure is one clear sentence, and then advice`(row: Int) {
        let (failure, sentence) = Self.table[row]
        #expect(failure.description == sentence)
    }

    @Test func `an end without a Close frame is told once`() throws {
        let server = try ScriptedServer(UVLoop(), tls: true, Step.subscription + [.turn, .fin])
        let host = ChannelHost()
        try host.run(on: server)
        #expect(
            host.failure?.description
                == "The channel was lost: the peer ended the connection without a Close frame and without close_notify."
        )
    }
}
