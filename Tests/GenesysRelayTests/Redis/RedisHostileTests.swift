import GenesysLoop
import Testing

@testable import GenesysRelay

extension RedisTests {
    /// Servers that answer anything, or nothing.
    @Suite(.timeLimit(.minutes(1))) struct RedisHostileTests {
        private let loop: UVLoop

        init() throws { loop = try UVLoop() }

        /// What the sink reports first of a server that answers like this.
        private func first(_ answer: FakeRedis.Answer, scheme: String = "redis") throws -> RedisSinkProbe.Call {
            let fake = try FakeRedis(on: loop, answer)
            let probe = try RedisSinkProbe(RedisTarget("\(scheme)://127.0.0.1:\(fake.port)"), on: loop) {
                $0.limits.reply = .milliseconds(100)
                $0.limits.idle = .milliseconds(100)
            } onCall: { probe, _ in
                fake.close()
                probe.close()
            }
            let calls = probe.run()
            #expect(calls.count == 2 && calls.last == .closed, "\(calls)")
            #expect(!loop.keepsRunning)
            return calls[0]
        }

        private func isLost(_ call: RedisSinkProbe.Call, _ words: String) -> Bool {
            guard case .lost(let reason) = call, reason.contains(words), reason.hasSuffix(".") else {
                Issue.record("\(call)")
                return false
            }
            return true
        }

        @Test func `a server that says nothing, or ends, is lost`() throws {
            #expect(try isLost(first(.silence), "did not answer"))
            #expect(try isLost(first(.end), "is lost"))
            #expect(try isLost(first(.reset), "is lost"))
            #expect(try isLost(first(.text("*3\r\n$5\r\nab")), "did not answer"))
            #expect(try isLost(first(.last(Array("*3\r\n$5\r\nab".utf8))), "ended the connection"))
            #expect(
                try isLost(first(.last(Array("-ERR max number of clients reached\r\n".utf8))), "max number of clients"))
        }

        @Test(arguments: 0..<FakeRedis.greeting.count)
        func `an end behind each reply is a loss`(_ count: Int) throws {
            let text = FakeRedis.greeting[..<count].joined()
            #expect(try isLost(first(text.isEmpty ? .end : .last(Array(text.utf8))), "is lost"))
        }

        @Test(arguments: [
            ("HTTP/1.1 400 Bad Request\r\n\r\n", "protocol"), ("\u{15}\u{3}\u{1}\u{0}\u{2}\u{2}\u{46}", "rediss://"),
            ("SSH-2.0-OpenSSH_9.2\r\n", "protocol"), ("*2000000000\r\n", "protocol"),
        ])
        func `bytes of another protocol are final where nothing has worked yet`(_ text: String, _ words: String) throws
        {
            guard case .failed(let failure) = try first(.text(text)) else {
                Issue.record("not final")
                return
            }
            #expect(failure.kind == .protocolViolation)
            #expect(failure.reason.contains(words), "\(failure.reason)")
        }

        @Test func `a reply that nothing asked for is a violation`() throws {
            let calls = try after(FakeRedis.greeting.joined() + ":1\r\n", opens: true)
            guard case .lost(let reason)? = calls.dropFirst().first else {
                Issue.record("\(calls)")
                return
            }
            #expect(reason.contains("nothing asked for"))
        }

        /// What is reported until the second call.
        private func after(_ text: String, opens: Bool) throws -> [RedisSinkProbe.Call] {
            let fake = try FakeRedis(on: loop, .text(text))
            return try RedisSinkProbe(RedisTarget("redis://127.0.0.1:\(fake.port)"), on: loop) {
                $0.limits.reply = .milliseconds(100)
                $0.limits.idle = .milliseconds(100)
            } onCall: { probe, _ in
                guard probe.calls.count == 2 else { return }
                fake.close()
                probe.close()
            }.run()
        }

        @Test func `a server that falls silent later is lost by its silence`() throws {
            let calls = try after(FakeRedis.greeting.joined(), opens: true)
            #expect(isLost(calls[1], "did not answer"))
        }

        @Test func `a server without TLS is final for rediss, and one without a listener is lost`() throws {
            guard case .failed(let failure) = try first(.text("-ERR unknown command\r\n"), scheme: "rediss") else {
                Issue.record("not final")
                return
            }
            #expect(failure.kind == .protocolViolation)
            let fake = try FakeRedis(on: loop, .silence)
            let port = fake.port
            fake.close()
            let calls = try RedisSinkProbe(RedisTarget("redis://127.0.0.1:\(port)"), on: loop).run()
            #expect(isLost(calls[0], "connection refused"))
        }

        @Test func `a target that answers wrong types is lost`() throws {
            var replies = FakeRedis.greeting
            replies[9] = "*1\r\n:1\r\n"
            #expect(try isLost(first(.text(replies.joined())), "HMGET"))
            replies[9] = "*5\r\n$1\r\nx\r\n$-1\r\n$1\r\n1\r\n$-1\r\n$-1\r\n"
            guard case .failed(let failure) = try first(.text(replies.joined())) else {
                Issue.record("not final")
                return
            }
            #expect(failure.kind == .configuration && failure.reason.contains("{genesys:test}:head"))
        }

        @Test func `a replica, and a server that loads, are lost with a sentence`() throws {
            var replies = FakeRedis.greeting
            let info = "role:slave\r\nmaster_host:10.0.0.9\r\nmaster_port:6380\r\n"
            replies[1] = "$\(info.utf8.count)\r\n\(info)\r\n"
            #expect(try isLost(first(.text(replies.joined())), "10.0.0.9:6380"))
            replies[1] = "$9\r\nloading:1\r\n"
            #expect(try isLost(first(.text(replies.joined())), "loading"))
            replies = FakeRedis.greeting
            replies[9] = "-LOADING Redis is loading the dataset in memory\r\n"
            #expect(try isLost(first(.text(replies.joined())), "LOADING"))
        }

        // MARK: - Redirects

        @Test func `the next connection goes to the server that has the keys, and a circle of them ends`() throws {
            let one = try FakeRedis(on: loop, .silence)
            let two = try FakeRedis(on: loop, .silence)
            // Both send the relay to the second one.
            one.answer = .text(FakeRedis.greeting[..<9].joined() + "-MOVED 3999 127.0.0.1:\(two.port)\r\n")
            two.answer = one.answer
            let calls = try RedisSinkProbe(RedisTarget("redis://localhost:\(one.port)"), on: loop) { probe, call in
                if probe.calls.count == 7 { two.answer = .text(FakeRedis.greeting.joined()) }
                if case .lost = call, probe.calls.count < 20 { return probe.sink.open(after: nil) }
                one.close()
                two.close()
                probe.close()
            }.run()
            #expect(calls.count == 9)
            #expect(calls.dropLast(2).allSatisfy { isLost($0, "MOVED") })
            guard case .opened? = calls.dropLast().last else {
                Issue.record("\(calls)")
                return
            }
            // After five redirects it begins with the first server again.
            #expect(one.acceptCount == 2 && two.acceptCount == 6, "\(one.acceptCount) \(two.acceptCount)")
        }
    }
}
