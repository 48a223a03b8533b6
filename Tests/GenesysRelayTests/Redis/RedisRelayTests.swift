import Foundation
import GenesysLoop
import Testing

@testable import GenesysRelay

extension RedisTests {
    /// A relay with a real server that is killed, frozen, full, or taken by another writer.
    @Suite(.enabled(if: RedisServer.isInstalled), .timeLimit(.minutes(4))) struct RedisRelayTests {
        static let isWhole = ProcessInfo.processInfo.environment["GENESYS_LOOP_ALL"] != nil
        private static let stream = "genesys:test"
        private let loop: UVLoop
        private let host: RelayHost

        init() throws {
            loop = try UVLoop()
            host = RelayHost(on: loop)
        }

        /// Sends `count` notifications, a few at each tick; calls `onStored` once for each of the given counts.
        private func run(
            _ server: RedisServer, _ count: Int, marks: [Int] = [], user: String = "",
            _ change: (inout RelayConfiguration) -> Void = { _ in }, onMark: @escaping (Int) throws -> Void = { _ in }
        ) throws {
            var limits = EngineStream.Limits()
            limits.reply = .seconds(2)
            limits.idle = .seconds(2)
            try host.relay(RedisTarget("redis+unix://\(user)\(server.socket)"), limits: limits, change)
            let timer = try TickingTimer(on: loop) {}
            var sent = 0
            var marks = marks[...]
            timer.onTick = { [host] in
                guard let relay = host.relay, relay.isOpen else { return timer.stop() }
                if host.calls.contains(.source), sent < count {
                    let next = min(count, sent + 500)
                    host.receive(sent + 1...next, size: 100)
                    sent = next
                    if sent == count { relay.close() }
                }
                let stored = Int(relay.statistics.storedCount)
                if let mark = marks.first, stored >= mark {
                    marks.removeFirst()
                    #expect(throws: Never.self) { try onMark(mark) }
                }
            }
            host.relay?.open()
            loop.run()
            timer.stop()
            // The closure holds the timer, and what the marks do holds the server.
            timer.onTick = {}
            #expect(marks.isEmpty)
            #expect(!loop.keepsRunning)
        }

        /// The sequences of the ids are one row, and the notifications are whole and in order.
        private func check(_ server: RedisServer, _ count: Int, isWhole: Bool = true) throws {
            let entries = try server.entries(of: RedisRelayTests.stream)
            let ids = entries.compactMap { RecordID($0[1]) }
            #expect(ids.count == entries.count)
            #expect(Set(ids).count == ids.count)
            #expect(ids == ids.sorted())
            let numbers = entries.filter { $0[3] == "genesys.notification" }.compactMap { fields in
                (fields.last?.firstMatch(of: /"n":(\d+)/)?.1).flatMap { Int($0) }
            }
            #expect(numbers == Array(1...count))
            if isWhole { #expect(ids.map(\.sequence) == Array(1...UInt64(ids.count))) }
        }

        private var gaps: [String] { host.calls.map { "\($0)" }.filter { $0.contains("olledBack") } }

        @Test func `every record is there once and in order although the server is killed`() throws {
            let server = try RedisServer(arguments: ["--appendonly", "yes", "--appendfsync", "always"])
            let count = RedisRelayTests.isWhole ? 100_000 : 20_000
            let marks = RedisRelayTests.isWhole ? [20_000, 50_000, 80_000] : [8_000]
            try run(server, count, marks: marks) {
                $0.queueBytes = 256 << 20
                $0.drainLimit = .seconds(60)
            } onMark: { _ in
                server.kill()
                // Where everything is tested, the relay also meets a server that is loading.
                try server.start(waits: !RedisRelayTests.isWhole)
            }
            #expect(host.plot.last == .closed)
            try check(server, count)
            #expect(try server.ask("HGET", "{genesys:test}:head", "state").text == "released")
        }

        @Test func `a server without memory gets the records when it has some again, in order`() throws {
            let server = try RedisServer()
            try run(server, 10_000, marks: [2_000]) {
                $0.drainLimit = .seconds(60)
            } onMark: { _ in
                try server.ask("CONFIG", "SET", "maxmemory", "1")
                loop.schedule(after: .seconds(1)) { _ = try? server.ask("CONFIG", "SET", "maxmemory", "0") }
            }
            #expect(host.plot.last == .closed)
            try check(server, 10_000)
        }

        @Test func `what a server without persistence loses is named in a gap record`() throws {
            let server = try RedisServer()
            try run(server, 5_000, marks: [2_000]) {
                $0.drainLimit = .seconds(60)
            } onMark: { _ in
                server.kill()
                try server.start()
            }
            #expect(host.plot.last == .closed)
            let entries = try server.entries(of: RedisRelayTests.stream)
            let gap = try #require(entries.first { $0[3] == "genesys.gap" }?.last)
            let match = try #require(gap.firstMatch(of: /"reason":"engineLost".*"epoch":(\d+),"sequences":\[1,(\d+)\]/))
            // What was stored is in the gap, and everything behind it in the stream.
            let lost = try #require(Int(match.2))
            #expect(lost >= 2_000)
            let numbers = entries.filter { $0[3] == "genesys.notification" }.compactMap { fields in
                (fields.last?.firstMatch(of: /"n":(\d+)/)?.1).flatMap { Int($0) }
            }
            #expect(numbers == Array(lost...5_000))
            #expect(gaps.count == 1)
        }

        @Test func `a frozen server is lost in time, and gets the records when it thaws`() throws {
            let server = try RedisServer()
            host.onCall = { _, call in
                if case .event(.engineLost) = call { server.signal(SIGCONT) }
            }
            try run(server, 10_000, marks: [2_000]) {
                $0.drainLimit = .seconds(60)
            } onMark: { _ in
                server.signal(SIGSTOP)
            }
            host.onCall = { _, _ in }
            #expect(host.plot.last == .closed)
            #expect(host.calls.contains { if case .event(.engineLost) = $0 { true } else { false } })
            try check(server, 10_000)
        }

        @Test func `a server that has lost the script gets it again`() throws {
            let server = try RedisServer()
            try run(server, 10_000, marks: [2_000]) { _ in
            } onMark: { _ in
                try server.ask("SCRIPT", "FLUSH")
            }
            #expect(host.plot.last == .closed)
            try check(server, 10_000)
        }

        @Test func `a later writer fences the relay, which adds nothing more`() throws {
            let server = try RedisServer()
            try run(server, 50_000, marks: [2_000]) { _ in
            } onMark: { _ in
                try server.ask("HSET", "{genesys:test}:head", "epoch", "99999999999", "owner", "other", "sequence", "1")
            }
            guard case .failed(.fenced, _)? = host.plot.last else {
                Issue.record("\(String(describing: host.plot.last))")
                return
            }
            let count = try server.entries(of: RedisRelayTests.stream).count
            #expect((2_000..<50_000).contains(count))
        }

        @Test func `a right that is taken away ends the relay, with what is missing`() throws {
            let server = try RedisServer()
            try server.ask("ACL", "SETUSER", "relay", "on", ">pw", "~*", "+@all")
            try run(server, 50_000, marks: [2_000], user: "relay:pw@") { _ in
            } onMark: { _ in
                try server.ask("ACL", "SETUSER", "relay", "-xadd")
            }
            guard case .failed(.refused, let undelivered)? = host.plot.last else {
                Issue.record("\(String(describing: host.plot.last))")
                return
            }
            #expect(undelivered > 0)
            #expect(host.failure?.message.contains("EVALSHA on genesys:test") == true)
        }

        @Test func `a record that is too large is a dead letter, and its number a gap`() throws {
            let server = try RedisServer(arguments: ["--proto-max-bulk-len", "1mb"])
            let letters = server.folder.appending(path: "dead")
            try host.relay(server.target) { $0.deadLetterFile = letters.path }
            host.onCall = { host, call in
                guard call == .source else { return }
                host.receive(1...10)
                host.receive(11...11, size: 2 << 20)
                host.receive(12...20)
                host.relay?.close()
            }
            host.relay?.open()
            loop.run()
            #expect(host.plot.last == .closed)
            let entries = try server.entries(of: RedisRelayTests.stream)
            #expect(entries.filter { $0[3] == "genesys.notification" }.count == 19)
            let gap = try #require(entries.first { $0[3] == "genesys.gap" })
            #expect(gap.last?.contains("\"reason\":\"refused\"") == true)
            #expect(gap.last?.contains("\"sequences\":[12,12]") == true)
            let letter = try String(contentsOf: letters, encoding: .utf8)
            #expect(letter.contains("proto-max-bulk-len") && letter.contains("\"n\":11"))
        }

        @Test func `a record that a server of unknown limit finds too large is a dead letter`() throws {
            let server = try RedisServer(arguments: ["--proto-max-bulk-len", "1mb"])
            try server.ask("ACL", "SETUSER", "relay", "on", ">pw", "~*", "+@all", "-config")
            try host.relay(RedisTarget("redis+unix://relay:pw@\(server.socket)"))
            host.onCall = { host, call in
                guard call == .source else { return }
                host.receive(1...10)
                host.receive(11...11, size: 2 << 20)
                host.receive(12...20)
                host.relay?.close()
            }
            host.relay?.open()
            loop.run()
            #expect(host.plot.last == .closed)
            let entries = try server.entries(of: RedisRelayTests.stream)
            #expect(entries.filter { $0[3] == "genesys.notification" }.count == 19)
            #expect(entries.filter { $0[3] == "genesys.gap" }.count == 1)
        }
    }
}
