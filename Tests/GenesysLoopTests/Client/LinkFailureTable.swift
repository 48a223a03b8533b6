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
}
