import Testing

@testable import GenesysLoop
@testable import GenesysPlatform

/// What goes wrong between an engine and a server, and what the failures say.
@Suite(.timeLimit(.minutes(2))) struct HTTPFailureTests {
    /// The failure for what a server does with each request.
    private func failure(
        _ steps: [WebServer.Step], tls: Bool = true, change: (inout HTTPRequest) throws -> Void = { _ in }
    ) throws -> HTTPFailure {
        let stage = try Stage()
        let server = try WebServer(stage.loop, tls: tls) { _ in steps }
        let failure = try stage.failure(.get, server.url(), change: change)
        check(failure)
        stage.leave(server)
        return failure
    }

    /// No text of a failure has anything of the request.
    private func check(_ failure: HTTPFailure) {
        for text in ["\(failure)", String(reflecting: failure), failure.clause, failure.advice ?? ""] {
            #expect(!text.contains("planted"), "\(text)")
        }
        #expect("\(failure)".hasSuffix(".") && !"\(failure)".hasSuffix(".."), "\(failure)")
    }

    @Test func `an answer that ends too early is a closed connection`() throws {
        let beginnings = [
            "", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\nplanted",
        ]
        for beginning in beginnings {
            let steps: [WebServer.Step] = beginning.isEmpty ? [] : [.text(beginning)]
            for end: [WebServer.Step] in [[.closeNotify, .fin], [.fin], [.reset]] {
                let failure = try failure(steps + end)
                guard case .closed(.answer, _) = failure else {
                    Issue.record("\(beginning): \(failure)")
                    continue
                }
                #expect(failure.reason == .connectionClosed && failure.isRetryable)
            }
        }
    }

    @Test func `a body that ends with the connection needs the end of TLS`() throws {
        let failure = try failure([.text("HTTP/1.0 200 OK\r\n\r\nplanted"), .fin])
        guard case .truncated = failure else {
            Issue.record("\(failure)")
            return
        }
    }

    @Test func `a part of the body of an accepted request cannot be used`() throws {
        let beginnings = [
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nplanted",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nplanted",
        ]
        for beginning in beginnings {
            for end: [WebServer.Step] in [[.closeNotify, .fin], [.fin], [.reset]] {
                let failure = try failure([.text(beginning)] + end)
                guard case .truncated = failure else {
                    Issue.record("\(beginning): \(failure)")
                    continue
                }
                check(failure)
                #expect(failure.reason == .invalidMessage)
            }
        }
    }

    @Test func `what is not HTTP breaks the protocol`() throws {
        for text in ["SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 planted\r\n\r\n", "{}\r\n\r\n"] {
            let failure = try failure([.text(text), .closeNotify, .fin])
            #expect(failure.reason == .protocolViolation && !failure.isRetryable, "\(text): \(failure)")
        }
    }

    @Test func `a head and a body have limits`() throws {
        let field = "X-Planted: \(String(repeating: "x", count: 1_000))\r\n"
        let long = try failure([.text("HTTP/1.1 200 OK\r\n" + String(repeating: field, count: 100))])
        #expect(long == .violation(HTTPFailure.longHead))
        #expect(long.reason == .protocolViolation)
        let body = String(repeating: "planted", count: 200_000)
        for headers in ["Content-Length: \(body.utf8.count)\r\n", ""] {
            let large = try failure([.text("HTTP/1.1 200 OK\r\n\(headers)\r\n\(body)")])
            #expect(large == .bodyTooLarge(limit: 1_048_576))
            #expect(large.reason == .messageTooLarge)
        }
        let small = try failure([WebServer.answer(body: "planted")]) { $0.maxBodySize = 6 }
        #expect(small == .bodyTooLarge(limit: 6))
    }

    @Test func `a body of exactly the limit is an answer`() throws {
        let stage = try Stage()
        let server = try WebServer(stage.loop) { _ in [WebServer.answer(body: "planted")] }
        #expect(try stage.answer(.get, server.url()) { $0.maxBodySize = 7 }.body.count == 7)
        stage.leave(server)
    }

    @Test func `a server that never answers, or only drips, ends with the deadline of the call`() throws {
        let drip = (0..<500).flatMap { _ in [WebServer.Step.text("X: y\r\n"), .wait(.milliseconds(2))] }
        for steps in [[], [.text("HTTP/1.1 200 OK\r\n")] + drip] {
            let failure = try failure(steps) { $0.deadline = .milliseconds(60) }
            #expect(failure == .timeout(.answer, tried: [], proxy: nil))
            #expect(failure.reason == .timeout && failure.isRetryable)
            #expect("\(failure)" == "The answer took longer than its deadline.")
        }
    }

    @Test func `the deadline of the connection ends a handshake without an answer`() throws {
        let stage = try Stage()
        let server = try WebServer(stage.loop) { _ in [] }
        server.isDeaf = true
        let failure = try stage.failure(.get, server.url()) { $0.connectDeadline = .milliseconds(60) }
        #expect(failure == .timeout(.tls, tried: [], proxy: nil))
        #expect("\(failure)" == "The TLS handshake took longer than its deadline.")
        stage.leave(server)
    }

    @Test func `the deadline of the connection does not end a slow answer`() throws {
        let stage = try Stage()
        let server = try WebServer(stage.loop) { _ in [.wait(.milliseconds(120)), WebServer.answer()] }
        let answer = try stage.answer(.get, server.url()) { $0.connectDeadline = .milliseconds(100) }
        #expect(answer.status == 200)
        stage.leave(server)
    }

    @Test func `a refused connection names each address and its error`() throws {
        let stage = try Stage()
        let server = try WebServer(stage.loop) { _ in [] }
        let port = server.port
        let url = server.url()
        server.close()
        stage.loop.run(for: .zero)
        let failure = try stage.failure(.get, url)
        guard case .unreachable(let error, let tried, proxy: nil) = failure else {
            Issue.record("\(failure)")
            return
        }
        #expect(error.name == "ECONNREFUSED")
        #expect(tried == ["127.0.0.1:\(port): connection refused"])
        #expect(failure.reason == .connect && failure.isRetryable)
        #expect("\(failure)" == "No connection to the server could be made: 127.0.0.1:\(port): connection refused.")
        stage.leave()
    }

    @Test func `a name without an address, and a look-up that fails, are failures of the name`() throws {
        for isNoSuchName in [true, false] {
            let stage = try Stage(lookup: { _ in
                .failure(ResolverError(code: -3, text: "it failed", isNoSuchName: isNoSuchName))
            })
            let failure = try stage.failure(.get, "https://nowhere.test/planted")
            check(failure)
            #expect(failure.reason == .dns && failure.isRetryable == !isNoSuchName)
            #expect("\(failure)" == "The name of the server could not be resolved: it failed.")
            stage.leave()
        }
    }

    @Test func `a request that cannot be written says why`() throws {
        let urls = [
            ("", "does not begin with https://"), ("ftp://planted.test/", "does not begin with https://"),
            ("wss://planted.test/", "does not begin with https://"), ("https://", "no host"),
            ("https://user:planted@a.test/", "user information"), ("https://a.test/planted path", "space"),
            ("http://a.test/planted", "for this machine only"),
        ]
        for (url, sentence) in urls {
            #expect(throws: HTTPFailure.self) {
                do throws(HTTPFailure) {
                    _ = try HTTPRequest(.get, url)
                } catch {
                    check(error)
                    #expect("\(error)".contains(sentence), "\(error)")
                    throw error
                }
            }
        }
        var request = try HTTPRequest(.get, "https://a.test/")
        for (name, value) in [("Authorization", "Bearer planted\r\nX: y"), ("A B", "planted"), ("A", "planted\u{0}")] {
            #expect(throws: HTTPFailure.self) {
                do throws(HTTPFailure) {
                    try request.addHeader(name, SecretBytes(value))
                } catch {
                    check(error)
                    throw error
                }
            }
        }
    }

    @Test func `a POST over a kept connection that has died may come twice, over a fresh one never`() throws {
        for (usesFreshConnection, count) in [(false, 2), (true, 1)] {
            let stage = try Stage()
            var answered = 0
            let server = try WebServer(stage.loop) { request in
                answered += 1
                // The first request keeps its connection; the next one breaks it without an answer.
                return answered == 1 ? [WebServer.answer()] : [.reset]
            }
            _ = try stage.answer(.get, server.url())
            let failure = try stage.failure(.post, server.url()) { $0.usesFreshConnection = usesFreshConnection }
            #expect(failure.reason == .connectionClosed)
            #expect(server.requests.count { $0.method == "POST" } == count)
            stage.leave(server)
        }
    }
}
