import Foundation
import Testing

/// The user and the password for a proxy, from elsewhere than the proxy's URI.
@Suite(.timeLimit(.minutes(patience(3)))) struct ProxyCredentialsTests {
    private static let variable = "GENESYS_LOOP_PROXY_CREDENTIALS"

    /// Runs `listen` through a proxy that refuses; returns the end, and the pair that the proxy got.
    ///
    /// - Parameter contents: of the file of `FILE` in the arguments.
    private func run(
        _ arguments: [String], _ variables: [String: String], contents: String = ""
    ) async throws -> (end: Child.End, pair: String?) {
        let file = FileManager.default.temporaryDirectory.appending(path: "pair-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(contents.utf8).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
        let proxy = try ScriptedPeer(head: { _ in "HTTP/1.1 502 No\r\n\r\n" }, isLast: true)
        let port = try #require(URL(string: proxy.uri)?.port)
        func filled(_ text: String) -> String {
            text.replacing("FILE", with: file.path).replacing("HOST", with: "127.0.0.1:\(port)")
        }
        let all = ["listen", "--uri", "wss://service.invalid/", "--topic", "v2.a", "--reconnect", "never"]
        let end = try await Slots.taken {
            let child = try Child.tool(
                all + arguments.map(filled), mayLeak: true, variables: variables.mapValues(filled))
            return await child.end()
        }
        let field = proxy.request.split(separator: "\r\n").first { $0.hasPrefix("Proxy-Authorization: Basic ") }
        let pair = field.flatMap { Data(base64Encoded: String($0.dropFirst(27))) }
        return (end, pair.map { String(decoding: $0, as: UTF8.self) })
    }

    @Test(
        arguments: [
            (["--proxy", "http://HOST", "--proxy-credentials-file", "FILE"], [:], "u:p:%41 ü"),
            (["--proxy-credentials-file", "FILE"], ["HTTPS_PROXY": "http://HOST"], "u:p:%41 ü"),
            (["--proxy-credentials-file", "FILE"], ["ALL_PROXY": "HOST", variable: "a:b"], "u:p:%41 ü"),
            (["--proxy", "http://HOST"], [variable: "a:b\n"], "a:b"),
            ([], ["https_proxy": "HOST", variable: "a:b"], "a:b"),
            (["--proxy", "http://c:d@HOST"], [variable: "a:b"], "c:d"),
            (["--proxy", "http://HOST"], [variable: " \n"], nil),
        ] as [([String], [String: String], String?)])
    func `the proxy gets the user and the password, and an argument wins`(
        arguments: [String], variables: [String: String], pair: String?
    ) async throws {
        let (end, got) = try await run(arguments, variables, contents: "\u{FEFF}u:p:%41 ü\r\n")
        #expect(end.status == 69, "\(end.errors)")
        #expect(got == pair)
    }

    @Test(
        arguments: [
            (
                ["--proxy", "http://c:hidden@HOST", "--proxy-credentials-file", "FILE"], [:],
                "others are given beside it"
            ),
            (
                ["--proxy-credentials-file", "FILE"], ["HTTPS_PROXY": "http://c:hidden@HOST"],
                "others are given beside it"
            ),
            ([], ["HTTPS_PROXY": "http://c:hidden@HOST", variable: "a:hidden"], "others are given beside it"),
            (["--proxy", "http://HOST"], [variable: "hidden"], "\(variable) takes user:password"),
            (["--proxy", "http://HOST"], [variable: "a:b\nhidden"], "\(variable) holds more than one line"),
            (["--proxy", "http://HOST"], [variable: "a:hidden\u{1}"], "without control characters"),
            (["--proxy", "socks5://HOST"], [variable: ":hidden"], "SOCKS5 takes a user of 1 to 255 bytes"),
        ] as [([String], [String: String], String)])
    func `credentials that cannot be used end with 64, and are not shown`(
        arguments: [String], variables: [String: String], sentence: String
    ) async throws {
        let (end, pair) = try await run(arguments, variables, contents: "a:hidden")
        #expect(end.status == 64, "\(end.errors)")
        #expect(end.errors.contains(sentence), "\(end.errors)")
        #expect(!end.errors.contains("hidden"))
        #expect(pair == nil)
    }

    @Test func `without a proxy the variable does not matter`() async throws {
        let (end, _) = try await run(["--no-proxy"], [Self.variable: "nonsense"])
        #expect(end.status == 69, "\(end.errors)")
    }
}
