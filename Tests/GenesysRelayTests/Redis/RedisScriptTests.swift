import Foundation
import Testing

@testable import GenesysRelay

extension RedisTests {
    /// The scripts, with real servers.
    @Suite(.enabled(if: RedisServer.isInstalled), .timeLimit(.minutes(2))) struct RedisScriptTests {
        /// Skipped, with a line that says so, where a server is not installed.
        static let servers = RedisServer.installed

        private struct Stream {
            let client: RedisClient
            let server: RedisServer

            init(_ program: RedisServer.Program) throws {
                server = try RedisServer(program)
                client = try RedisClient(socket: server.socket)
            }

            /// Appends records; a number in `gaps` is that of a gap record with so many numbers skipped before it.
            func append(
                epoch: Int = 7, owner: String = "me", _ first: Int, count: Int = 1, gaps: [Int: Int] = [:],
                cap: String = "", type: String? = nil
            ) throws -> RESPReply {
                var command = RESPCommand("EVAL", RedisScripts.append, "2", "s", "{s}:head")
                for word in ["\(epoch)", owner, "\(first)", cap, "2026-11-30T00:00:00.000000Z", "genesys/a"] {
                    command.append(word)
                }
                var sequence = first
                for place in 0..<count {
                    let skipped = gaps[place] ?? 0
                    if place > 0 { sequence += skipped + 1 }
                    let type = type ?? (gaps[place] == nil ? "genesys.notification" : "genesys.gap")
                    let correlation = place % 2 == 0 ? "" : "c\(sequence)"
                    for word in ["\(skipped)", "\(epoch).\(sequence)", type, "t", "now", correlation, "{}"] {
                        command.append(word)
                    }
                }
                return try client.ask(command)
            }

            var ids: [String] { get throws { try server.values(of: "id", in: "s") } }

            func head(_ field: String) throws -> String? { try client.ask(RESPCommand("HGET", "{s}:head", field)).text }
        }

        @Test(arguments: servers)
        func `records are added in order, and the head moves with them`(_ program: RedisServer.Program) throws {
            let stream = try Stream(program)
            #expect(try stream.append(1, count: 3) == .integer(3))
            #expect(try stream.append(4) == .integer(4))
            #expect(try stream.ids == ["7.1", "7.2", "7.3", "7.4"])
            #expect(try stream.head("epoch") == "7" && stream.head("sequence") == "4" && stream.head("owner") == "me")
            #expect(try stream.head("coveredUntil") == "2026-11-30T00:00:00.000000Z" && stream.head("state") == "open")
            let entries = try stream.server.entries(of: "s")
            #expect(
                entries[0] == [
                    "id", "7.1", "type", "genesys.notification", "topic", "t", "time", "now", "source", "genesys/a",
                    "data",
                    "{}",
                ])
            #expect(entries[1].contains("correlation") && entries[1][10...] == ["correlation", "c2", "data", "{}"])
            let last = try stream.client.ask(RESPCommand("XREVRANGE", "s", "+", "-", "COUNT", "1")).elements[0]
                .elements[0]
            #expect(try stream.head("id") == last.text)
        }

        @Test(arguments: servers)
        func `what is stored is skipped`(_ program: RedisServer.Program) throws {
            let stream = try Stream(program)
            _ = try stream.append(1, count: 3)
            #expect(try stream.append(1, count: 3) == .integer(3))
            #expect(try stream.append(2, count: 4) == .integer(5))
            #expect(try stream.ids == ["7.1", "7.2", "7.3", "7.4", "7.5"])
        }

        @Test(arguments: servers)
        func `a hole is refused, and nothing is added`(_ program: RedisServer.Program) throws {
            let stream = try Stream(program)
            #expect(try stream.append(2).errorText == "HOLE 1")
            _ = try stream.append(1, count: 3)
            #expect(try stream.append(5, count: 2).errorText == "HOLE 4")
            #expect(try stream.ids.count == 3)
            #expect(try stream.append(epoch: 8, 4).errorText == "HOLE 1")
        }

        @Test(arguments: servers)
        func `numbers are skipped only before a gap record that names them`(_ program: RedisServer.Program) throws {
            let stream = try Stream(program)
            _ = try stream.append(1)
            #expect(try stream.append(5, gaps: [0: 2]).errorText == "HOLE 2")
            #expect(try stream.append(5, gaps: [0: 4]).errorText == "HOLE 2")
            #expect(try stream.append(5, gaps: [0: 3], type: "genesys.notification").errorText == "HOLE 2")
            #expect(try stream.append(2, count: 3, gaps: [1: 5], type: "genesys.notification").errorText == "HOLE 2")
            #expect(try stream.ids.count == 1)
            #expect(try stream.append(5, count: 2, gaps: [0: 3]) == .integer(6))
            #expect(try stream.append(5, count: 2, gaps: [0: 3]) == .integer(6))
            #expect(try stream.append(7, count: 3, gaps: [1: 10]) == .integer(19))
            #expect(try stream.ids == ["7.1", "7.5", "7.6", "7.7", "7.18", "7.19"])
        }

        @Test(arguments: servers)
        func `an older epoch and another owner of the same one are fenced`(_ program: RedisServer.Program) throws {
            let stream = try Stream(program)
            _ = try stream.append(1, count: 2)
            #expect(try stream.append(owner: "other", 3).errorText?.hasPrefix("FENCED") == true)
            #expect(try stream.append(epoch: 8, owner: "other", 1) == .integer(1))
            #expect(try stream.append(3).errorText?.hasPrefix("FENCED") == true)
            #expect(try stream.ids == ["7.1", "7.2", "8.1"])
            #expect(try stream.head("owner") == "other")
        }

        @Test(arguments: servers)
        func `large epochs and sequences are exact`(_ program: RedisServer.Program) throws {
            let stream = try Stream(program)
            let sequence = 1 << 52
            #expect(try stream.append(epoch: 4_000_000_000, 1) == .integer(1))
            #expect(
                try stream.append(epoch: 4_000_000_000, sequence, gaps: [0: sequence - 2]) == .integer(Int64(sequence)))
            #expect(try stream.append(epoch: 4_000_000_000, sequence + 1) == .integer(Int64(sequence + 1)))
            #expect(try stream.head("sequence") == "\(sequence + 1)")
        }

        @Test(arguments: servers)
        func `the stream is kept near its cap`(_ program: RedisServer.Program) throws {
            let stream = try Stream(program)
            for batch in 0..<100 { _ = try stream.append(1 + batch * 100, count: 100, cap: "500") }
            let count = try stream.ids.count
            #expect((500...700).contains(count), "\(count)")
            #expect(try stream.ids.last == "7.10000")
        }

        @Test(arguments: servers)
        func `keys of another type are refused with their code, and nothing is added`(
            _ program: RedisServer.Program
        ) throws {
            let stream = try Stream(program)
            try stream.server.ask("SET", "s", "x")
            #expect(try RedisError(stream.append(1).errorText ?? "") == .misconfigured)
            #expect(try stream.server.ask("EXISTS", "{s}:head") == .integer(0))
            try stream.server.ask("DEL", "s")
            try stream.server.ask("SET", "{s}:head", "x")
            #expect(try RedisError(stream.append(1).errorText ?? "") == .misconfigured)
            try stream.server.ask("DEL", "{s}:head")
            try stream.server.ask("HSET", "{s}:head", "epoch", "abc")
            #expect(try RedisError(stream.append(1).errorText ?? "") == .misconfigured)
            #expect(try stream.server.ask("EXISTS", "s") == .integer(0))
        }

        @Test(arguments: servers)
        func `without memory nothing is added, but the lease can be kept`(_ program: RedisServer.Program) throws {
            let stream = try Stream(program)
            let keys = ["{s}:head", "{s}:lease"]
            _ = try stream.append(1)
            let first = ["", "me", "7", "1", "now", "", "held"]
            #expect(
                try stream.client.ask(.script(RedisScripts.replaceLease, keys, first)).elements.first == .integer(1))
            try stream.server.ask("CONFIG", "SET", "maxmemory", "1")
            #expect(try RedisError(stream.append(2, count: 3).errorText ?? "") == .busy)
            let second = ["1", "me", "7", "2", "now", "", "held"]
            #expect(
                try stream.client.ask(.script(RedisScripts.replaceLease, keys, second)).elements.first == .integer(1))
            let end = try stream.client.ask(.script(RedisScripts.close, keys, ["me", "7", "then", "released"]))
            #expect(end == .integer(1))
            try stream.server.ask("CONFIG", "SET", "maxmemory", "0")
            #expect(try stream.append(2, count: 3) == .integer(4))
            #expect(try stream.head("coveredUntil") == "2026-11-30T00:00:00.000000Z")
        }

        @Test(arguments: servers)
        func `a lease is replaced only by who knows its revision, and released only by its owner`(
            _ program: RedisServer.Program
        ) throws {
            let stream = try Stream(program)
            let keys = ["{s}:head", "{s}:lease"]
            func replace(_ words: String...) throws -> [RESPReply] {
                try stream.client.ask(.script(RedisScripts.replaceLease, keys, words)).elements
            }
            #expect(try stream.client.ask(.script(RedisScripts.readLease, keys, [])).elements[0].elements[2] == .null)
            #expect(try replace("1", "a", "7", "2", "now", "", "held").first == .integer(0))
            #expect(try replace("", "a", "7", "1", "now", "", "held").first == .integer(1))
            let late = try replace("", "b", "8", "1", "now", "", "held")
            #expect(late[0] == .integer(0) && late[1].elements[0].text == "a")
            _ = try stream.append(owner: "a", 1)
            let taken = try replace("1", "b", "8", "2", "now", "until", "held")
            #expect(taken[0] == .integer(1) && taken[1].elements.map(\.text) == ["b", "8", "2", "until", "held"])
            #expect(taken[2].elements[0].text == "7")
            // The end of the first owner changes the head, which is still its own, and not the lease.
            _ = try stream.client.ask(.script(RedisScripts.close, keys, ["a", "7", "then", "released"]))
            #expect(try stream.head("state") == "released" && stream.head("coveredUntil") == "then")
            let kept = try stream.client.ask(.script(RedisScripts.readLease, keys, [])).elements
            #expect(kept[0].elements.map(\.text) == ["b", "8", "2", "until", "held"])
            // The end of the second one changes the lease, and not the head.
            _ = try stream.client.ask(.script(RedisScripts.close, keys, ["b", "8", "later", ""]))
            let released = try stream.client.ask(.script(RedisScripts.readLease, keys, [])).elements
            #expect(released[0].elements.map(\.text) == ["b", "8", "3", "later", "released"])
            #expect(try stream.head("coveredUntil") == "then")
        }
    }
}
