import Foundation
import GenesysLoop
import GenesysSimulator
import Testing

/// `relay` with a real Redis; without redis-server they are skipped, which is said.
@Suite(.timeLimit(.minutes(patience(3)))) struct RelayRedisTests {
    private func stream(of redis: RedisServer) async throws -> RelayStream {
        let script = #"""
            local lines = {}
            for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do
                lines[#lines + 1] = cjson.encode(entry[2])
            end
            return lines
            """#
        return try RelayStream(entries: try await redis.ask("--raw", "EVAL", script, "1", "genesys:test"))
    }

    /// Waits until the relay has stored everything that was published.
    private func stored(_ count: Int, of child: Child) async throws {
        while true {
            child.signal(SIGUSR1)
            let line = try #require(await child.event(with: "\"statistics\""))
            if line.contains("\"relay\":{\"receivedCount\":\(count),"), line.contains("\"queuedCount\":0,") { return }
        }
    }

    private func with(
        _ options: [String] = [], _ body: (OwnService, RedisServer, Child, URL) async throws -> Void
    ) async throws {
        try await OwnService.with { service, folder in
            let redis = RedisServer(folder: folder)
            let server = try await redis.start(options)
            try await body(service, redis, server, folder)
            server.signal(SIGKILL)
            _ = await server.end()
        }
    }

    @Test(.enabled(if: RedisServer.isPossible))
    func `notifications are entries of the stream, and a second relay of the name ends with 75`() async throws {
        try await with { service, redis, _, _ in
            let child = try service.relay(to: redis.target, ["--lease", "1"])
            let connected = try #require(await child.event(with: "\"engineConnected\""))
            #expect(connected.contains("\"version\":\"redis "))
            #expect(await child.event(with: "\"subscribed\"") != nil)
            service.publish(0..<100)
            try await redis.wait(for: 101)
            let second = await (try service.relay(to: redis.target, ["--lease", "1"])).end()
            #expect(second.status == 75, "\(second.errors)")
            #expect(second.errors.contains("renews its lease"), "\(second.errors)")
            let waits = second.errors.split(separator: "\n").filter { $0.contains("it is watched for 3 s") }
            #expect(waits.count == 1 && waits.allSatisfy { $0.contains("\"notice\"") }, "\(second.errors)")
            let check = try await Tool.check(redis.target)
            #expect(check.status == 0)
            #expect(check.outputText.contains("lease: held by "), "\(check.outputText)")
            child.signal(SIGTERM)
            let end = await child.end()
            #expect(end.status == 0, "\(end.errors)")
            #expect(try await redis.ask("XLEN", "genesys:test") == "101")
            #expect(try await Tool.check(redis.target).outputText.contains("lease: free"))
        }
    }

    @Test(.enabled(if: RedisServer.isPossible))
    func `a key of another type ends with 78, a wrong password with 77`() async throws {
        try await with { service, redis, _, folder in
            _ = try await redis.ask("SET", "genesys:test", "x")
            let end = await (try service.relay(to: redis.target)).end()
            #expect(end.status == 78, "\(end.errors)")
            #expect(try await Tool.check(redis.target).status == 78)
            let password = folder.appending(path: "password")
            try Data("hunter2\n".utf8).write(to: password)
            _ = try await redis.ask("CONFIG", "SET", "requirepass", "secret")
            for (arguments, variables) in [
                (["--password-file", password.path], [:]), ([], ["GENESYS_LOOP_RELAY_PASSWORD": "hunter2"]),
            ] {
                let refused = await (try service.relay(to: redis.target, arguments, variables: variables)).end()
                #expect(refused.status == 77, "\(refused.errors)")
                #expect(!refused.errors.contains("hunter2"))
            }
            let right = try service.relay(
                to: redis.target, ["--stream", "other"], variables: ["GENESYS_LOOP_RELAY_PASSWORD": "secret"])
            #expect(await right.event(with: "\"subscribed\"") != nil)
            right.signal(SIGTERM)
            #expect(await right.end().status == 0)
        }
    }

    // It takes the ten seconds in which a relay drains.
    @Test(.enabled(if: RedisServer.isPossible && isWhole, "ten seconds: with --all only"))
    func `a frozen Redis loses nothing, and one that stays frozen ends with 75 and the number`() async throws {
        try await with { service, redis, server, _ in
            let child = try service.relay(to: redis.target)
            #expect(await child.event(with: "\"subscribed\"") != nil)
            server.signal(SIGSTOP)
            service.publish(0..<500)
            server.signal(SIGCONT)
            try await redis.wait(for: 501)
            server.signal(SIGSTOP)
            service.publish(500..<510)
            while true {
                child.signal(SIGUSR1)
                let line = try #require(await child.event(with: "\"statistics\""))
                if line.contains("\"relay\":{\"receivedCount\":510,") { break }
            }
            child.signal(SIGTERM)
            let end = await child.end()
            server.signal(SIGCONT)
            #expect(end.status == 75, "\(end.errors)")
            #expect(end.errors.contains("10 records are not delivered"), "\(end.errors)")
        }
    }

    @Test(.enabled(if: RedisServer.isPossible))
    func `a Redis that keeps everything is killed three times under load: all are there once and in order`()
        async throws
    {
        let count = isWhole ? 100_000 : 3_000
        try await with(RedisServer.always) { service, redis, server, _ in
            var server = server
            let child = try service.relay(to: redis.target)
            #expect(await child.event(with: "\"subscribed\"") != nil)
            for round in 0..<4 {
                service.publish(round * count / 4..<(round + 1) * count / 4)
                guard round < 3 else { break }
                try await redis.wait(for: (round * count + count / 2) / 4)
                server.signal(SIGKILL)
                _ = await server.end()
                server = try await redis.start(RedisServer.always)
            }
            try await stored(count, of: child)
            child.signal(SIGTERM)
            let end = await child.end()
            #expect(end.status == 0, "\(end.errors)")
            let found = try await stream(of: redis)
            #expect(found.numbers == Array(0..<count))
            #expect(found.types.count == count + 1)
            #expect(found.isWhole)
            server.signal(SIGKILL)
            _ = await server.end()
        }
    }

    @Test(.enabled(if: RedisServer.isPossible))
    func `what a Redis without persistence had stored is named by one gap record`() async throws {
        try await with { service, redis, server, _ in
            let child = try service.relay(to: redis.target)
            #expect(await child.event(with: "\"subscribed\"") != nil)
            service.publish(0..<100)
            try await stored(100, of: child)
            server.signal(SIGKILL)
            _ = await server.end()
            let next = try await redis.start()
            #expect(await child.event(with: "\"engineRolledBack\"")?.contains("\"sequences\":[1,101]") == true)
            service.publish(100..<110)
            try await stored(110, of: child)
            child.signal(SIGTERM)
            let end = await child.end()
            #expect(end.status == 0, "\(end.errors)")
            let found = try await stream(of: redis)
            #expect(found.types == ["epoch", "gap"] + Array(repeating: "notification", count: 10))
            #expect(found.records[1].data["reason"] as? String == "engineLost")
            #expect(found.records[1].data["sequences"] as? [Int] == [1, 101])
            #expect(found.numbers == Array(100..<110))
            next.signal(SIGKILL)
            _ = await next.end()
        }
    }

    @Test(.enabled(if: RedisServer.isPossible))
    func `a Redis without memory refuses for a while, and then has everything in order`() async throws {
        try await with { service, redis, _, _ in
            let child = try service.relay(to: redis.target)
            #expect(await child.event(with: "\"subscribed\"") != nil)
            service.publish(0..<50)
            try await stored(50, of: child)
            _ = try await redis.ask("CONFIG", "SET", "maxmemory", "1")
            service.publish(50..<200)
            let warning = try #require(await child.event(with: "stores nothing for now"))
            #expect(warning.contains("\"warning\"") && warning.contains("maxmemory"), "\(warning)")
            while true {
                child.signal(SIGUSR1)
                let line = try #require(await child.event(with: "\"statistics\""))
                if line.contains("\"relay\":{\"receivedCount\":200,") { break }
            }
            #expect(try await redis.ask("XLEN", "genesys:test") == "51")
            _ = try await redis.ask("CONFIG", "SET", "maxmemory", "0")
            try await stored(200, of: child)
            child.signal(SIGTERM)
            let end = await child.end()
            #expect(end.status == 0, "\(end.errors)")
            let found = try await stream(of: redis)
            #expect(found.numbers == Array(0..<200))
            #expect(found.isWhole)
        }
    }

    @Test(.enabled(if: RedisServer.isPossible))
    func `a record that is too large for the server is a dead letter, and a gap record stands in its place`()
        async throws
    {
        try await with(["--proto-max-bulk-len", "1048576"]) { service, redis, _, folder in
            let letters = folder.appending(path: "letters")
            let child = try service.relay(to: redis.target, ["--dead-letter", letters.path])
            #expect(await child.event(with: "\"subscribed\"") != nil)
            service.publish(0..<10)
            let body = Array(("\"" + String(repeating: "x", count: 2 << 20) + "\"").utf8)
            service.server.execute { $0.publish(eventBody: body, to: "v2.a") }
            service.publish(10..<20)
            try await stored(21, of: child)
            child.signal(SIGTERM)
            let end = await child.end()
            #expect(end.status == 0, "\(end.errors)")
            #expect(try end.plot.filter { $0 == "refused" }.count == 1)
            let found = try await stream(of: redis)
            #expect(found.numbers == Array(0..<20))
            #expect(
                found.records.filter { $0.type == "gap" }.compactMap { $0.data["reason"] as? String } == ["refused"])
            #expect(found.isWhole)
            let letter = try RelayStream(letters)
            #expect(letter.types == ["notification"])
            #expect(letter.records.first?.sequence == 12)
        }
    }
}

extension Tool {
    /// Runs `relay --check`, within a slot that is taken.
    fileprivate static func check(_ target: String) async throws -> Child.End {
        await (try Child.tool(["relay", "--uri", "ws://h.invalid/", "--name", "test", "--to", target, "--check"])).end()
    }
}
