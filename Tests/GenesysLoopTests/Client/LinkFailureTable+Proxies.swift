import CUV

@testable import GenesysLoop

extension LinkFailureTable {
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
