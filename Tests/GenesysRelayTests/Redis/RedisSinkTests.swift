import Foundation
import GenesysLoop
import Testing

@testable import GenesysRelay

extension RedisTests {
    /// The sink with a real server: what it reports, and that nothing of it is left.
    @Suite(.enabled(if: RedisServer.isInstalled), .timeLimit(.minutes(2))) struct RedisSinkTests {
        private let loop: UVLoop

        init() throws { loop = try UVLoop() }

        private func opened(_ calls: [RedisSinkProbe.Call]) throws -> EngineDescription {
            guard case .opened(let engine, _)? = calls.first else {
                Issue.record("\(calls)")
                throw CancellationError()
            }
            #expect(calls.last == .closed)
            return engine
        }

        @Test func `the server is described when it is connected, and nothing is left when it is closed`() throws {
            let server = try RedisServer()
            let engine = try opened(RedisSinkProbe(server.target, on: loop).run())
            #expect(engine.version.wholeMatch(of: /redis \d+\.\d+\.\d+/) != nil)
            #expect(engine.durability == "none")
            #expect(engine.warnings.count == 1)
            #expect(!loop.keepsRunning)
            let name = try server.ask("CLIENT", "LIST").text ?? ""
            #expect(!name.contains("genesys-relay"))
        }

        @Test func `the name of the connection says who it is`() throws {
            let server = try RedisServer()
            var clients = ""
            try RedisSinkProbe(
                server.target, on: loop,
                onCall: { probe, _ in
                    clients = (try? server.ask("CLIENT", "LIST").text) ?? ""
                    probe.close()
                }
            ).run()
            #expect(clients.contains("name=genesys-relay:test"))
        }

        @Test(arguments: [
            (["--appendonly", "yes", "--appendfsync", "always"], "aof always"),
            (["--appendonly", "yes", "--appendfsync", "everysec"], "aof everysec"), (["--save", "3600 1"], "rdb"),
        ])
        func `the durability is read from the server`(_ arguments: [String], _ durability: String) throws {
            let server = try RedisServer(arguments: arguments)
            #expect(try opened(RedisSinkProbe(server.target, on: loop).run()).durability == durability)
        }

        // MARK: - Who may

        @Test func `without rights to CONFIG and INFO the durability is unknown`() throws {
            let server = try RedisServer()
            try server.ask(
                "ACL", "SETUSER", "relay", "on", ">pw", "~genesys:test", "~{genesys:test}:*", "+@connection", "+type",
                "+hmget", "+hget", "+hset", "+hdel", "+hincrby", "+xadd", "+xtrim", "+eval", "+evalsha", "+script|load")
            let engine = try opened(
                RedisSinkProbe(RedisTarget("redis+unix://relay:pw@\(server.socket)"), on: loop).run())
            #expect(engine.durability == "unknown" && engine.version == "redis unknown")
            #expect(
                engine.warnings.contains { $0.contains("CONFIG") } && engine.warnings.contains { $0.contains("INFO") })
        }

        @Test(arguments: [("relay:wrong", true), ("nobody:pw", true), (":wrong", true), ("", true)])
        func `a wrong password is final, and is not repeated`(_ credentials: String, _ isFinal: Bool) throws {
            let server = try RedisServer(arguments: ["--requirepass", "right"])
            let target = try RedisTarget("redis+unix://\(credentials.isEmpty ? "" : credentials + "@")\(server.socket)")
            let calls = try RedisSinkProbe(target, on: loop).run()
            guard case .failed(let failure)? = calls.first else {
                Issue.record("\(calls)")
                return
            }
            #expect((failure.kind == .authorization) == isFinal)
            #expect(!failure.reason.contains("wrong"), "\(failure.reason)")
            #expect(failure.reason.hasSuffix("."))
            #expect(!loop.keepsRunning)
        }

        @Test func `a password beside the target wins, and a user of its own is used`() throws {
            let server = try RedisServer(arguments: ["--requirepass", "right"])
            let calls = try RedisSinkProbe(RedisTarget("redis+unix://default:wrong@\(server.socket)"), on: loop) {
                $0.password = SecretText("right")
            }.run()
            _ = try opened(calls)
        }

        @Test(arguments: ["-hmget", "-script|load"])
        func `a right that is missing is named, and final`(_ right: String) throws {
            let server = try RedisServer()
            try server.ask("ACL", "SETUSER", "relay", "on", ">pw", "~*", "+@all", right)
            let calls = try RedisSinkProbe(RedisTarget("redis+unix://relay:pw@\(server.socket)"), on: loop).run()
            guard case .failed(let failure)? = calls.first else {
                Issue.record("\(calls)")
                return
            }
            #expect(failure.kind == .configuration)
            #expect(failure.reason.uppercased().contains(right.dropFirst().uppercased().replacing("|", with: " ")))
        }

        @Test func `a key of another type is named, and final`() throws {
            let server = try RedisServer()
            try server.ask("SET", "genesys:test", "x")
            let calls = try RedisSinkProbe(server.target, on: loop).run()
            guard case .failed(let failure)? = calls.first else {
                Issue.record("\(calls)")
                return
            }
            #expect(failure.kind == .configuration)
            #expect(failure.reason.contains("genesys:test") && failure.reason.contains("string"))
        }

        @Test(arguments: [("5", true), ("5000", false)])
        func `a database is selected, and one that does not exist is final`(_ database: String, _ exists: Bool) throws {
            let server = try RedisServer()
            let calls = try RedisSinkProbe(RedisTarget("redis+unix://\(server.socket)?db=\(database)"), on: loop).run()
            if case .failed(let failure)? = calls.first {
                #expect(!exists && failure.kind == .configuration && failure.reason.contains("SELECT 5000"))
            } else {
                #expect(exists)
            }
        }

        // MARK: - The lease

        @Test func `the lease is read and replaced together with the head`() throws {
            let server = try RedisServer()
            let lease = LeaseRecord(
                owner: "a", epoch: 7, revision: 1, coveredUntil: WallTime(seconds: 1_900_000_000), isReleased: false)
            var next = lease
            next.revision = 2
            let calls = try RedisSinkProbe(server.target, on: loop) { probe, call in
                switch call {
                case .opened: probe.sink.readLease()
                case .lease: probe.sink.replaceLease(revision: nil, with: lease)
                case .replaced(true, lease, _):
                    probe.sink.replaceLease(revision: 5, with: next)
                    probe.sink.replaceLease(revision: 1, with: next)
                case .replaced(true, _, _): probe.close()
                default: break
                }
            }.run()
            #expect(
                calls.dropFirst() == [
                    .lease(nil, nil), .replaced(true, lease, nil), .replaced(false, lease, nil),
                    .replaced(true, next, nil),
                    .closed,
                ])
            #expect(try server.ask("HGET", "{genesys:test}:lease", "state").text == "released")
            #expect(try server.ask("HGET", "{genesys:test}:lease", "revision").text == "3")
        }

        // MARK: - Servers that do not answer

        @Test func `a frozen server is lost in time, and the loop goes on`() throws {
            let server = try RedisServer()
            var turns = 0
            let watch = try TickingTimer(on: loop) { turns += 1 }
            let calls = try RedisSinkProbe(server.target, on: loop) {
                $0.limits.idle = .milliseconds(300)
                $0.limits.reply = .milliseconds(300)
            } onCall: { probe, call in
                if case .opened = call {
                    server.signal(SIGSTOP)
                    probe.sink.readLease()
                } else {
                    watch.stop()
                    probe.close()
                }
            }.run()
            server.signal(SIGCONT)
            guard case .lost(let reason) = calls[1] else {
                Issue.record("\(calls)")
                return
            }
            #expect(reason.contains("did not answer"))
            #expect(turns > 50)
        }

        @Test func `a frozen server does not hold up the end`() throws {
            let server = try RedisServer()
            let lease = LeaseRecord(owner: "a", epoch: 7, revision: 1, isReleased: false)
            let calls = try RedisSinkProbe(server.target, on: loop) { probe, call in
                guard case .opened = call else { return probe.close() }
                server.signal(SIGSTOP)
                probe.sink.replaceLease(revision: nil, with: lease)
                probe.close()
            }.run()
            server.signal(SIGCONT)
            #expect(calls.count == 2 && calls.last == .closed)
            #expect(!loop.keepsRunning)
        }

        @Test func `an idle connection is asked, and kept`() throws {
            let server = try RedisServer()
            let calls = try RedisSinkProbe(server.target, on: loop) {
                $0.limits.idle = .milliseconds(20)
            } onCall: { probe, call in
                guard case .opened = call else { return }
                probe.loop.schedule(after: .milliseconds(300)) { probe.close() }
            }.run()
            #expect(calls.count == 2 && calls.last == .closed)
            let statistics = try server.ask("INFO", "commandstats").text ?? ""
            #expect(statistics.contains("cmdstat_ping"))
        }

        @Test func `a socket that is not there is lost, and may come later`() throws {
            let server = try RedisServer(startsNow: false)
            let calls = try RedisSinkProbe(server.target, on: loop) { probe, call in
                switch call {
                case .lost(let reason):
                    #expect(reason.contains("no such file"))
                    try? server.start()
                    probe.sink.open(after: nil)
                default: probe.close()
                }
            }.run()
            #expect(calls.count == 3 && calls.last == .closed)
        }

        /// Only where everything is tested: the servers need a second to learn of each other.
        @Test(.enabled(if: RedisRelayTests.isWhole))
        func `the relay follows a cluster to the server that has the keys`() throws {
            func node() throws -> (RedisServer, [UInt16]) {
                try RedisServer.withPorts(2, on: loop) {
                    ["--cluster-enabled", "yes", "--port", "\($0[0])", "--cluster-port", "\($0[1])"]
                }
            }
            let (one, _) = try node()
            let (two, ports) = try node()
            try two.ask("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
            try one.ask("CLUSTER", "MEET", "127.0.0.1", "\(ports[0])", "\(ports[1])")
            while try one.ask("HGET", "{genesys:test}:head", "epoch").errorText?.hasPrefix("MOVED") != true {}
            while try two.ask("HGET", "{genesys:test}:head", "epoch").errorText != nil {}
            let calls = try RedisSinkProbe(one.target, on: loop) { probe, call in
                if case .lost = call { probe.sink.open(after: nil) } else { probe.close() }
            }.run()
            guard case .lost(let reason)? = calls.first, case .opened? = calls.dropFirst().first else {
                Issue.record("\(calls)")
                return
            }
            #expect(reason.contains("MOVED"))
            #expect(calls.count == 3)
        }

        @Test func `it is closed in every phase, and no handle is left`() throws {
            let server = try RedisServer()
            for turns in 0..<40 {
                let probe = try RedisSinkProbe(server.target, on: loop) { _, _ in }
                probe.sink.open(after: nil)
                // Each turn comes a little further.
                let timer = try TickingTimer(on: loop) {}
                timer.onTick = { [unowned timer] in
                    guard timer.count > turns / 4 else { return }
                    timer.stop()
                    probe.close()
                }
                loop.run()
                #expect(probe.calls.last == .closed)
                #expect(!loop.keepsRunning)
            }
            let probe = try RedisSinkProbe(server.target, on: loop)
            probe.sink.open(after: nil)
            probe.close()
            loop.run()
            #expect(probe.calls == [.closed])
        }

        @Test func `the last reference may go in a callback, and while it connects`() throws {
            let server = try RedisServer()
            var probe: RedisSinkProbe? = try RedisSinkProbe(server.target, on: loop) { _, _ in }
            probe?.onCall = { _, _ in probe = nil }
            probe?.sink.open(after: nil)
            loop.run()
            #expect(probe == nil)
            probe = try RedisSinkProbe(server.target, on: loop)
            probe?.sink.open(after: nil)
            probe = nil
            loop.run()
            #expect(!loop.keepsRunning)
        }
    }
}

/// Ticks every millisecond until it is stopped.
final class TickingTimer {
    private let loop: UVLoop
    private(set) var count = 0
    private var isStopped = false
    var onTick: () -> Void

    init(on loop: UVLoop, _ onTick: @escaping () -> Void) throws {
        self.loop = loop
        self.onTick = onTick
        tick()
    }

    private func tick() {
        loop.schedule(after: .milliseconds(1)) { [weak self] in
            guard let self, !self.isStopped else { return }
            self.count += 1
            self.onTick()
            if !self.isStopped { self.tick() }
        }
    }

    func stop() { isStopped = true }
}
