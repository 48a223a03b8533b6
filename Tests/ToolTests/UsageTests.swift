import Foundation
import Testing

@Suite struct UsageTests {
    private static let secret = "wss://localhost/channels/streaming-2-secret"

    struct Case: Sendable, CustomTestStringConvertible {
        var arguments: [String]
        var sentence: String

        init(_ arguments: [String], _ sentence: String) {
            self.arguments = arguments
            self.sentence = sentence
        }

        var testDescription: String { arguments.joined(separator: " ").prefix(80).description }
    }

    private static func listen(_ more: String..., uri: String = secret, topic: String = "v2.a") -> [String] {
        ["listen", "--uri", uri, "--topic", topic] + more
    }

    /// The secret of an OAuth client.
    private static let secretFile: String = {
        let file = FileManager.default.temporaryDirectory.appending(path: "secret-\(UUID().uuidString)")
        let isMade = FileManager.default.createFile(
            atPath: file.path, contents: Data("streaming-2-secret\n".utf8), attributes: [.posixPermissions: 0o600])
        return isMade ? file.path : "/nonexistent"
    }()

    private static func account(_ more: String..., id: String = "c", secret: String? = nil) -> [String] {
        ["listen", "--client-id", id, "--client-secret-file", secret ?? secretFile] + more
            + (more.contains("--no-subscribe") ? [] : ["--topic", "v2.a"])
    }

    static let cases: [Case] = [
        Case(["listen"], "No channel: give the file of its connectUri with --uri-file, or set GENESYS_LOOP_URI"),
        Case(["listen", "--topic", "v2.a", "--uri-file", "/nonexistent/u", "--uri", secret], "and not both"),
        Case(["listen", "--topic", "v2.a", "--uri-file", "/nonexistent/u"], "The URI file “/nonexistent/u” cannot be"),
        Case(["listen", "--topic", "v2.a", "--uri-file", "/"], "The URI file “/” cannot be read: "),
        Case(["listen", "--topic", "v2.a", "--uri-file", "/dev/zero"], "cannot be read: file too large"),
        Case(["listen", "--topic", "v2.a", "--uri-file", secret], "The URI file “wss://…” cannot be read"),
        Case(["listen", "--topic", "v2.a", "--uri-file=\(secret)"], "The URI file “wss://…” cannot be read"),
        Case(["listen", "--uri-file", "-", "--topics-file", "-"], "--uri-file and --topics-file cannot both be"),
        Case(["listen", "--topic", "v2.a", "--client-id", "c"], "lacks its secret (--client-secret-file"),
        Case(listen("--client-id", "c"), "one source of the channel: a URI and an OAuth client"),
        Case(listen("--region", "mypurecloud.ie"), "a URI needs none"),
        Case(listen("--token-cache", "t"), "--token-cache is for an OAuth client"),
        Case(account("--region", "nowhere"), "--region: 'nowhere' is no region"),
        Case(account("--region", "mypurecloud.ie/x"), "--region: 'mypurecloud.ie/x' is no region"),
        Case(account("--region", "mypurecloud.ie", "--login-base", "ftp://h"), "--login-base: A base URL begins with"),
        Case(
            account("--region", "mypurecloud.ie", "--api-base", "http://h.example"), "--api-base: A base URL"),
        Case(account("--region", "mypurecloud.ie", "--api-base", "https://u:streaming-2-secret@h"), "--api-base: "),
        Case(account("--region", "mypurecloud.ie", secret: "/dev/null"), "“/dev/null” is empty"),
        Case(account("--region", "mypurecloud.ie", secret: "/nonexistent/s"), "“/nonexistent/s” cannot be read"),
        Case(
            account("--region", "mypurecloud.ie", "--token-cache", "/nonexistent/t"), "The token cache /nonexistent/t"),
        Case(account("--region", "mypurecloud.ie", "--token-cache", "/dev/null"), "not a regular file"),
        Case(account("--region", "mypurecloud.ie", "--no-subscribe"), "--no-subscribe is for a channel whose URI"),
        Case(account("--region", "mypurecloud.ie", "--access-token-file", "/dev/null"), "an OAuth client and a token"),
        Case(account("--region", "mypurecloud.ie", "--uri-file", "u"), "a URI and an OAuth client"),
        Case(account("--region", "mypurecloud.ie", "--topics-file", "-", secret: "-"), "cannot both be standard input"),
        Case(account("--region", "mypurecloud.ie", id: "a:b"), "The id of an OAuth client has visible"),
        Case(account("--region", "mypurecloud.ie", id: ""), "The id of an OAuth client has visible"),
        Case(
            ["listen", "--topic", "v2.a", "--region", "mypurecloud.ie", "--access-token-file", "/dev/null"],
            "“/dev/null” is empty"),
        Case(listen("--events", "--progress"), "--events and --progress exclude each other"),
        Case(listen("--no-subscribe"), "--no-subscribe takes no topic"),
        Case(["listen", "--uri", secret, "--no-subscribe", "--topics-file", "/nonexistent/t"], "takes no topic"),
        Case(listen("--proxy", "http://p:1", "--no-proxy"), "--proxy and --no-proxy exclude each other"),
        Case(listen("--no-proxy", "--proxy-credentials-file", "/nonexistent/c"), "--no-proxy uses none"),
        Case(listen("--proxy-credentials-file", "/nonexistent/c"), "“/nonexistent/c” cannot be read"),
        Case(["listen", "--uri", secret], "No topic"),
        Case(["listen", secret, "--topic", "v2.a"], "--uri"),
        Case(listen(secret), "Unexpected argument"),
        Case(listen(uri: "https://localhost/"), "neither ws nor wss"),
        Case(listen(uri: ""), "empty"),
        Case(listen(uri: "wss://user@localhost/"), "user information"),
        Case(listen(topic: ""), "A topic is empty"),
        Case(listen(topic: "a b"), "white space"),
        Case(listen(topic: String(repeating: "a", count: 201)), "201 characters"),
        Case(listen("--topics-file", "/nonexistent/topics"), "/nonexistent/topics"),
        Case(listen("--topics-file", "/"), "cannot be read"),
        Case(listen("--ca-file", "/nonexistent/ca.pem"), "/nonexistent/ca.pem"),
        Case(listen("--ca-file", "/dev/null"), "/dev/null"),
        Case(listen("--ca-file", "/nonexistent/ca.pem", uri: "ws://localhost/"), "/nonexistent/ca.pem"),
        Case(listen("--client-certificate", "a.pem"), "--client-key"),
        Case(listen("--client-key", "a.pem"), "--client-certificate"),
        Case(listen("--pin", "sha256/c2hvcnQ="), "--pin takes sha256/"),
        Case(
            listen("--pin", String(repeating: "A", count: 43) + "=", uri: "ws://localhost/"), "--pin needs a URI of wss"
        ),
        Case(listen(uri: "wss://bücher.example/streaming-2-secret"), "xn--bcher-kva.example"),
        Case(listen("--proxy", "http://bücher.example:3128"), "xn--bcher-kva.example"),
        Case(listen("--alpn", ""), "--alpn"),
        Case(listen("--alpn", String(repeating: "a", count: 256)), "--alpn"),
        Case(listen("--proxy", "localhost:3128"), "--proxy: The URI of the proxy does not begin with http://"),
        Case(listen("--proxy", "ftp://localhost"), "--proxy: The URI of the proxy does not begin with http://"),
        Case(listen("--proxy", "http://user:streaming-2-secret@localhost:99999"), "--proxy: The port of the URI"),
        Case(listen("--proxy", "http://user:streaming-2-secret/@localhost"), "has no path"),
        Case(listen("--proxy", "socks5://"), "--proxy: The URI has no host"),
        Case(listen("--proxy-ca-file", "/nonexistent/proxy.pem"), "/nonexistent/proxy.pem"),
        Case(listen("--reconnect", "always"), "always"),
        Case(listen("--log-level", "loud"), "loud"),
        Case(listen("--output", "/"), "The file of --output, “/”, cannot be opened: illegal operation on a directory"),
        Case(listen("--output", "/nonexistent/lines"), "cannot be opened: no such file or directory"),
        Case(listen("--output", ""), "cannot be opened: no such file or directory"),
        Case(listen("--count", "0"), "--count"),
        Case(listen("--count", "many"), "--count"),
        Case(listen("--duration", "0"), "--duration"),
        Case(listen("--duration", "nan"), "--duration"),
        Case(listen("--duration", "inf"), "--duration"),
        Case(listen("--lifetime", "1e300"), "--lifetime"),
        Case(listen("--duration", "5 m"), "--duration"),
        Case(listen("--first-connection-limit", "0s"), "--first-connection-limit"),
        Case(listen("--first-connection-limit", "always"), "--first-connection-limit"),
        Case(listen("--outage-limit", "-1"), "--outage-limit"),
        Case(listen("--max-message-size", "0"), "--max-message-size"),
        Case(listen("--no-such-flag"), "--no-such-flag"),
        Case(["simulate", "--port", "65536"], "--port"),
        Case(["simulate", "--rate", "-1"], "--rate"),
        Case(["simulate", "--rate=-1"], "--rate"),
        Case(["simulate", "--rate", "nan"], "--rate"),
        Case(["simulate", "--time-scale", "0"], "--time-scale"),
        Case(["simulate", "--script", "/nowhere/a"], "“/nowhere/a” cannot be read: no such file or directory"),
        Case(["simulate", "--certificates", "/dev/null/x"], "/dev/null"),
        Case(["demo", "--count", "0"], "--count"),
        Case(["dance"], "dance"),
    ]

    @Test(arguments: cases)
    func `wrong usage ends with 64 and a sentence`(_ usage: Case) async throws {
        // The parser's errors end the process while it still holds its tables.
        let end = try await Tool.run(usage.arguments, mayLeak: true)
        #expect(end.status == 64)
        #expect(end.output == [])
        #expect(end.errors.contains(usage.sentence), "\(end.errors)")
        #expect(!end.errors.contains("streaming-2-secret"), "\(end.errors)")
    }

    @Test func `the topics of a file count with those of the command line`() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "topics-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        let topics = (1...1_000).map { "v2.users.\($0).presence\r\n" }
        try Data("# \(1_000)\n\n\(topics.joined())v2.users.1.presence\n".utf8).write(to: file)
        let held = try HeldPort()
        let uri = "wss://127.0.0.1:\(held.port)/"
        let arguments = ["listen", "--uri", uri, "--reconnect", "never", "--topics-file", file.path]
        let fitting = try await Tool.run(arguments + ["--topic", "v2.users.7.presence"])
        #expect(fitting.status == 69, "\(fitting.errors)")
        let tooMany = try await Tool.run(arguments + ["--topic", "v2.users.0.presence"])
        #expect(tooMany.status == 64)
        #expect(tooMany.errors.contains("1001 topics"))
    }

    @Test(arguments: [["--help"], ["listen", "--help"], ["simulate", "--help"], ["demo", "--help"], ["--version"]])
    func `help and version go to standard output`(arguments: [String]) async throws {
        let end = try await Tool.run(arguments, mayLeak: true)
        #expect(end.status == 0)
        #expect(end.outputText.contains("genesys-loop"))
        #expect(end.errors == "")
    }
}
