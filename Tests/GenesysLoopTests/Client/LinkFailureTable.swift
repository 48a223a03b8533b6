import CUV
import Testing

@testable import GenesysLoop

/// Causes of links with their public views: each row was recorded before the views were derived from `LinkFailure`.
enum LinkFailureTable {
    struct Row: Sendable, CustomTestStringConvertible {
        let cause: LinkFailure
        let reason: FailureReason
        let phase: ChannelFailure.Phase
        /// Which of retryable, certificate, authorization and final hold.
        let flags: String
        /// Message, correlation id, location, status and delay of an answer.
        let said: String
        /// Operation, code and text of the underlying error.
        let below: String?
        /// The sentence of a channel, without its beginning.
        let sentence: String
        /// The sentence of a WebSocket, without its beginning.
        let webSocket: String

        var testDescription: String { sentence }

        init(
            _ cause: LinkFailure, _ reason: FailureReason, _ phase: ChannelFailure.Phase, _ flags: String,
            said: String = "- | - | - | - | -", below: String? = nil, _ sentence: String, webSocket: String? = nil
        ) {
            (self.cause, self.reason, self.phase, self.flags) = (cause, reason, phase, flags)
            (self.said, self.below, self.sentence) = (said, below, sentence)
            self.webSocket = webSocket ?? sentence
        }
    }

    static func rows() throws -> [Row] {
        let proxy = try ProxyURI("http://user:hidden@Proxy.test:3128")
        let bare = try ProxyURI("socks5://[::1]")
        let uri = try WebSocketURI("wss://h/channels/x")
        return try connecting(proxy, bare) + proxies(proxy, bare) + tls(proxy) + server(uri)
    }

    static let refused = UVError(operation: "connect", code: UV_ECONNREFUSED.rawValue)
    static let files = UVError(operation: "connect", code: UV_EMFILE.rawValue)
    static let reset = UVError(operation: "read", code: UV_ECONNRESET.rawValue)
    static let gone = ResolverError(code: -2, text: "Name or service not known", isNoSuchName: true)
    static let later = ResolverError(code: -3, text: "Try again.", isNoSuchName: false)
    static let zone = ResolverError.noInterface("eth9")
    static let variable = ProxyRules.InvalidVariable(
        name: "HTTPS_PROXY",
        error: InvalidURI("The URI of the proxy does not begin with http://, https://, socks5:// or socks5h://."))
    static let tried = ["127.0.0.1:1: connection refused", "[::1]:1: no answer"]

    static func tls(_ fault: TLSError.Fault, _ text: String = "t") -> TLSError {
        TLSError(operation: "SSL_do_handshake", code: 7, text: text, fault: fault)
    }

    static let certificate = tls(.certificate(.expired, depth: 0, code: 10, text: "“a” expired"))
    static let alert = tls(.alertReceived(40, "handshake failure"))
    static let client = tls(.alertReceived(116, "certificate required"))
    static let missing = tls(.clientCertificateMissing(alert: 42, "bad certificate"))
    static let broken = tls(.protocol, "bad record mac")

    static let now = WallTime(seconds: 0)

    /// Before there is a connection to the server or to the proxy.
    static func connecting(_ proxy: ProxyURI, _ bare: ProxyURI) -> [Row] {
        [
            Row(
                .invalidURI(InvalidURI("The URI has no host.")), .invalidURI, .dns, "final",
                said: "The URI has no host. | - | - | - | -",
                "the URI has no host."),
            Row(
                .invalidHeader(InvalidHeader("A subprotocol is not a token.")), .invalidURI, .upgrade, "final",
                said: "A subprotocol is not a token. | - | - | - | -",
                "a subprotocol is not a token."),
            Row(
                .invalidProxyVariable(variable), .proxy, .proxy, "",
                below: """
                    environment/0/the environment variable HTTPS_PROXY names no usable proxy: the URI of the proxy does \
                    not begin with http://, https://, socks5:// or socks5h://
                    """,
                """
                the environment variable HTTPS_PROXY names no usable proxy: the URI of the proxy does not begin with \
                http://, https://, socks5:// or socks5h://.
                """),
            Row(
                .unresolved(gone, proxy: nil), .dns, .dns, "",
                below: "getaddrinfo/-2/Name or service not known",
                """
                the host name could not be resolved (Name or service not known). Check the host name and the \
                network.
                """),
            Row(
                .unresolved(later, proxy: nil), .dns, .dns, "retryable",
                below: "getaddrinfo/-3/Try again.",
                "the host name could not be resolved (Try again.). Check the host name and the network."),
            Row(
                .unresolved(zone, proxy: nil), .connect, .connect, "retryable",
                below: "if_nametoindex/\(zone.code)/no network interface is called “eth9”",
                """
                no TCP connection could be made (no network interface is called “eth9”). Check the network, the \
                firewall and the port.
                """),
            Row(
                .unresolved(gone, proxy: proxy), .proxy, .proxy, "",
                below: """
                    getaddrinfo/-2/the name of the proxy http://proxy.test:3128 could not be resolved: name or service \
                    not known
                    """,
                "the name of the proxy http://proxy.test:3128 could not be resolved: name or service not known."),
            Row(
                .unresolved(later, proxy: proxy), .proxy, .proxy, "retryable",
                below: "getaddrinfo/-3/the name of the proxy http://proxy.test:3128 could not be resolved: try again",
                "the name of the proxy http://proxy.test:3128 could not be resolved: try again."),
            Row(
                .unresolved(zone, proxy: proxy), .proxy, .proxy, "retryable",
                below: """
                    if_nametoindex/\(zone.code)/no connection to the proxy http://proxy.test:3128 could be made: no network \
                    interface is called “eth9”
                    """,
                """
                no connection to the proxy http://proxy.test:3128 could be made: no network interface is called “eth9”.
                """),
            Row(
                .unreachable(refused, tried: tried, proxy: nil), .connect, .connect, "retryable",
                below: "connect/\(refused.code)/127.0.0.1:1: connection refused; [::1]:1: no answer",
                """
                no TCP connection could be made (127.0.0.1:1: connection refused; [::1]:1: no answer). Check the \
                network, the firewall and the port.
                """),
            Row(
                .unreachable(files, tried: tried, proxy: nil), .connect, .connect, "retryable",
                below: "connect/\(files.code)/127.0.0.1:1: connection refused; [::1]:1: no answer",
                """
                no TCP connection could be made (127.0.0.1:1: connection refused; [::1]:1: no answer). Raise the limit \
                of open files, or close some.
                """),
            Row(
                .unreachable(refused, tried: tried, proxy: bare), .proxy, .proxy, "retryable",
                below: """
                    connect/\(refused.code)/no connection to the proxy socks5://[::1]:1080 could be made: 127.0.0.1:1: \
                    connection refused; [::1]:1: no answer
                    """,
                """
                no connection to the proxy socks5://[::1]:1080 could be made: 127.0.0.1:1: connection refused; \
                [::1]:1: no answer.
                """),
            Row(
                .unreachable(files, tried: tried, proxy: bare), .proxy, .proxy, "retryable",
                below: """
                    connect/\(files.code)/no connection to the proxy socks5://[::1]:1080 could be made: 127.0.0.1:1: \
                    connection refused; [::1]:1: no answer
                    """,
                """
                no connection to the proxy socks5://[::1]:1080 could be made: 127.0.0.1:1: connection refused; \
                [::1]:1: no answer.
                """),
            Row(
                .timeout(.dns, tried: [], proxy: nil), .timeout, .dns, "retryable",
                below: "getaddrinfo/0/",
                """
                the name resolution took longer than its deadline. Check the network and this machine's name \
                servers.
                """),
            Row(
                .timeout(.dns, tried: ["the system's resolver does not answer"], proxy: nil), .timeout, .dns,
                "retryable",
                below: "getaddrinfo/0/the system's resolver does not answer",
                """
                the name resolution took longer than its deadline (the system's resolver does not answer). Check the \
                network and this machine's name servers.
                """),
            Row(
                .timeout(.dns, tried: [], proxy: proxy), .timeout, .dns, "retryable",
                below: "getaddrinfo/0/the proxy http://proxy.test:3128",
                """
                the name resolution took longer than its deadline (the proxy http://proxy.test:3128). Check the \
                network and this machine's name servers.
                """),
            Row(
                .timeout(.dns, tried: ["silence"], proxy: proxy), .timeout, .dns, "retryable",
                below: "getaddrinfo/0/the proxy http://proxy.test:3128: silence",
                """
                the name resolution took longer than its deadline (the proxy http://proxy.test:3128: silence). Check \
                the network and this machine's name servers.
                """),
            Row(
                .timeout(.connect, tried: tried, proxy: nil), .timeout, .connect, "retryable",
                below: "connect/0/127.0.0.1:1: connection refused; [::1]:1: no answer",
                """
                the TCP connection took longer than its deadline (127.0.0.1:1: connection refused; [::1]:1: no \
                answer). Check the network, the firewall and the port.
                """),
            Row(
                .timeout(.connect, tried: [], proxy: nil), .timeout, .connect, "retryable",
                below: "connect/0/",
                "the TCP connection took longer than its deadline. Check the network, the firewall and the port."),
            Row(
                .timeout(.connect, tried: tried, proxy: proxy), .timeout, .connect, "retryable",
                below:
                    "connect/0/the proxy http://proxy.test:3128: 127.0.0.1:1: connection refused; [::1]:1: no answer",
                """
                the TCP connection took longer than its deadline (the proxy http://proxy.test:3128: 127.0.0.1:1: \
                connection refused; [::1]:1: no answer). Check the network, the firewall and the port.
                """),
            Row(
                .timeout(.proxy, tried: [], proxy: proxy), .timeout, .proxy, "retryable",
                below: "proxy/0/the proxy http://proxy.test:3128",
                "the proxy handshake took longer than its deadline (the proxy http://proxy.test:3128)."),
            Row(
                .timeout(.tls, tried: [], proxy: nil), .timeout, .tls, "retryable",
                "the TLS handshake took longer than its deadline."),
            Row(
                .timeout(.upgrade, tried: [], proxy: nil), .timeout, .upgrade, "retryable",
                "the WebSocket upgrade took longer than its deadline."),
            Row(
                .timeout(.close, tried: [], proxy: nil), .timeout, .close, "retryable",
                "the closing handshake took longer than its deadline."),
        ]
    }

    /// At the proxy.
    static func proxies(_ proxy: ProxyURI, _ bare: ProxyURI) throws -> [Row] {
        func failed(_ error: ProxyError, at other: ProxyURI? = nil) -> LinkFailure {
            .proxy(error, of: other ?? proxy, at: now)
        }
        func refused(
            _ status: Int, _ headers: [String] = [], reason: String = "", body: String = "", by other: ProxyURI? = nil
        ) throws -> LinkFailure {
            failed(.refused(try .of(status, headers, reason: reason, body: body)), at: other)
        }
        return try [
            Row(
                refused(407, ["Proxy-Authenticate: Negotiate"], body: "user hidden no"), .proxy, .proxy,
                "authorization,final",
                said: "… … no | - | - | 407 | -",
                below: """
                    proxy/407/the proxy http://proxy.test:3128 wants authorization (407, by Negotiate), and this \
                    client speaks only Basic
                    """,
                """
                the proxy http://proxy.test:3128 wants authorization (407, by Negotiate), and this client speaks only \
                Basic (the proxy said: … … no). Let the proxy take Basic, or use one on this machine that authorizes \
                in this client's place.
                """),
            Row(
                refused(407, ["Proxy-Authenticate: Basic"], by: bare), .proxy, .proxy, "authorization,final",
                said: "- | - | - | 407 | -",
                below: "proxy/407/the proxy socks5://[::1]:1080 wants authorization (407, by Basic)",
                """
                the proxy socks5://[::1]:1080 wants authorization (407, by Basic). Give a user and a password for \
                the proxy.
                """),
            Row(
                refused(401), .proxy, .proxy, "authorization,final",
                said: "- | - | - | 401 | -",
                below: "proxy/401/the proxy http://proxy.test:3128 answered CONNECT with HTTP status 401",
                """
                the proxy http://proxy.test:3128 answered CONNECT with HTTP status 401. Check the user and the \
                password for the proxy.
                """),
            Row(
                refused(302, ["Location: http://Login.test/x"]), .proxy, .proxy, "",
                said: "- | - | login.test | 302 | -",
                below: """
                    proxy/302/the proxy http://proxy.test:3128 answered CONNECT with a redirect to login.test (HTTP \
                    status 302)
                    """,
                "the proxy http://proxy.test:3128 answered CONNECT with a redirect to login.test (HTTP status 302)."),
            Row(
                refused(429, ["Retry-After: 7", "ININ-Correlation-Id: a1"], reason: "Slow down"), .proxy, .proxy,
                "retryable",
                said: "Slow down | a1 | - | 429 | 7.0 seconds",
                below: "proxy/429/the proxy http://proxy.test:3128 answered CONNECT with HTTP status 429",
                """
                the proxy http://proxy.test:3128 answered CONNECT with HTTP status 429 (the proxy said: Slow down; its \
                correlation id is a1); it asks to wait 7 s.
                """),
            Row(
                refused(502, body: "<html>down"), .proxy, .proxy, "retryable",
                said: "down | - | - | 502 | -",
                below: "proxy/502/the proxy http://proxy.test:3128 answered CONNECT with HTTP status 502",
                "the proxy http://proxy.test:3128 answered CONNECT with HTTP status 502 (the proxy said: down)."),
            Row(
                failed(.head(.bareLineFeed)), .proxy, .proxy, "",
                below:
                    "proxy/0/the proxy http://proxy.test:3128 broke HTTP: a line of the HTTP head ends in a line feed alone",
                "the proxy http://proxy.test:3128 broke HTTP: a line of the HTTP head ends in a line feed alone."),
            Row(
                failed(.head(.tooLong)), .proxy, .proxy, "",
                below: "proxy/0/the proxy http://proxy.test:3128 answered CONNECT with a head of more than 16384 bytes",
                "the proxy http://proxy.test:3128 answered CONNECT with a head of more than 16384 bytes."),
            Row(
                failed(.head(.malformedStartLine)), .proxy, .proxy, "",
                below: "proxy/0/the proxy http://proxy.test:3128 did not answer CONNECT in HTTP",
                "the proxy http://proxy.test:3128 did not answer CONNECT in HTTP."),
            Row(
                failed(.reply(1), at: bare), .proxy, .proxy, "retryable",
                below: "proxy/0/the proxy socks5://[::1]:1080 answered with SOCKS error 1: general failure",
                "the proxy socks5://[::1]:1080 answered with SOCKS error 1: general failure."),
            Row(
                failed(.reply(2), at: bare), .proxy, .proxy, "",
                below: """
                    proxy/0/the proxy socks5://[::1]:1080 answered with SOCKS error 2: its rules do not allow the connection
                    """,
                "the proxy socks5://[::1]:1080 answered with SOCKS error 2: its rules do not allow the connection."),
            Row(
                failed(.noMethod(hasOfferedPassword: true)), .proxy, .proxy, "authorization,final",
                below:
                    """
                    proxy/0/the proxy http://proxy.test:3128 takes neither user and password nor a client without \
                    them
                    """,
                """
                the proxy http://proxy.test:3128 takes neither user and password nor a client without them. Let the \
                proxy take a user and a password.
                """),
            Row(
                failed(.noMethod(hasOfferedPassword: false), at: bare), .proxy, .proxy, "authorization,final",
                below: "proxy/0/the proxy socks5://[::1]:1080 wants an authorization that this client was not given",
                """
                the proxy socks5://[::1]:1080 wants an authorization that this client was not given. Give a user and a \
                password for the proxy.
                """),
            Row(
                failed(.credentialsRefused), .proxy, .proxy, "authorization,final",
                below: "proxy/0/the proxy http://proxy.test:3128 refused the user and the password",
                """
                the proxy http://proxy.test:3128 refused the user and the password. Check the user and the password for \
                the proxy.
                """),
            Row(
                failed(.brokenRule("its first byte is no version 5"), at: bare), .proxy, .proxy, "",
                below: "proxy/0/the proxy socks5://[::1]:1080 broke SOCKS5: its first byte is no version 5",
                "the proxy socks5://[::1]:1080 broke SOCKS5: its first byte is no version 5."),
            Row(
                failed(.ended), .proxy, .proxy, "retryable",
                below: "proxy/0/the proxy http://proxy.test:3128 ended the connection before its tunnel was open",
                "the proxy http://proxy.test:3128 ended the connection before its tunnel was open."),
            Row(
                failed(.broke(reset)), .proxy, .proxy, "retryable",
                below: """
                    proxy/0/the proxy http://proxy.test:3128 broke the connection before its tunnel was open (read: \
                    connection reset by peer)
                    """,
                """
                the proxy http://proxy.test:3128 broke the connection before its tunnel was open (read: connection \
                reset by peer).
                """),
        ]
    }
}
