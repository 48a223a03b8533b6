import GenesysLoop
import Testing

@testable import GenesysRelay

@Suite struct RedisCodecTests {
    private static func replies(_ text: String, in parts: [Int]) throws -> [RESPReply] {
        let reader = RESPReader()
        var replies: [RESPReply] = []
        var rest = Array(text.utf8)[...]
        for count in parts + [rest.count] {
            let part = Array(rest.prefix(count))
            rest = rest.dropFirst(count)
            try reader.feed(part)
            while let reply = try reader.next() { replies.append(reply) }
        }
        return replies
    }

    private static let stream =
        "+OK\r\n-ERR no\r\n:-7\r\n$5\r\na\r\nbc\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n*3\r\n:1\r\n*2\r\n$1\r\nx\r\n$-1\r\n+y\r\n"
    private static let expected: [RESPReply] = [
        .status("OK"), .error("ERR no"), .integer(-7), .bulk(Array("a\r\nbc".utf8)), .bulk([]), .null, .null,
        .array([]),
        .array([.integer(1), .array([.bulk([0x78]), .null]), .status("y")]),
    ]

    @Test func `replies are whole however their bytes are cut`() throws {
        let count = RedisCodecTests.stream.utf8.count
        for cut in 0...count {
            #expect(try RedisCodecTests.replies(RedisCodecTests.stream, in: [cut]) == RedisCodecTests.expected)
        }
        let single = Array(repeating: 1, count: count)
        #expect(try RedisCodecTests.replies(RedisCodecTests.stream, in: single) == RedisCodecTests.expected)
    }

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\n", "\u{15}\u{3}", "$abc\r\n", "*99999999999999999999\r\n", "*2000000000\r\n",
        "$-2\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
    ])
    func `bytes that are no reply are a violation, again at each call`(_ text: String) throws {
        let reader = RESPReader()
        func readAll() throws {
            try reader.feed(Array(text.utf8))
            while try reader.next() != nil {}
        }
        #expect(throws: RESPReader.Violation.self) { try readAll() }
        #expect(throws: RESPReader.Violation.self) { try readAll() }
    }

    @Test func `a reply that does not end is bounded`() throws {
        let reader = RESPReader()
        let part = [UInt8](repeating: 0x61, count: 1 << 20)
        try reader.feed(Array("$2000000000\r\n".utf8))
        #expect(throws: RESPReader.Violation.self) {
            for _ in 0..<5 {
                try reader.feed(part)
                _ = try reader.next()
            }
        }
    }

    @Test func `a command is written with the lengths of its words`() {
        var command = RESPCommand("SET", "", "ä")
        command.append(Array("0123".utf8), 1..<3)
        #expect(
            String(decoding: command.encoded(), as: UTF8.self)
                == "*4\r\n$3\r\nSET\r\n$0\r\n\r\n$2\r\nä\r\n$2\r\n12\r\n")
        var numbers = RESPCommand("SET", String(repeating: "x", count: 1_234))
        for number: UInt64 in [0, 9, 10, .max] { numbers.append(number) }
        #expect(
            String(decoding: numbers.encoded(), as: UTF8.self)
                == "*6\r\n$3\r\nSET\r\n$1234\r\n\(String(repeating: "x", count: 1_234))\r\n$1\r\n0\r\n$1\r\n9\r\n"
                + "$2\r\n10\r\n$20\r\n18446744073709551615\r\n")
    }

    // MARK: - What errors mean

    @Test(arguments: [
        ("OOM command not allowed when used memory > 'maxmemory'.", RedisError.busy),
        ("@user_script: 12: -OOM command not allowed when used memory > 'maxmemory'.", .busy),
        ("ERR Error running script (call to f_1): @user_script:3: @user_script: 3: -OOM command not allowed", .busy),
        ("MISCONF Redis is configured to save RDB snapshots, but", .busy),
        ("NOREPLICAS Not enough good replicas", .busy),
        ("LOADING Redis is loading the dataset in memory", .busy), ("BUSY Redis is busy running a script.", .busy),
        ("CLUSTERDOWN Hash slot not served", .busy), ("TRYAGAIN Multiple keys request during rehashing", .busy),
        ("READONLY You can't write against a read only replica.", .lost),
        ("MASTERDOWN Link with MASTER is down", .lost),
        ("ERR max number of clients reached", .lost), ("NOAUTH Authentication required.", .unauthorized),
        ("WRONGPASS invalid username-password pair", .unauthorized),
        ("DENIED Redis is running in protected mode", .unauthorized),
        ("NOPERM this user has no permissions to run the 'evalsha' command", .misconfigured),
        ("ERR The user executing the script can't run this command or subcommand", .misconfigured),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", .misconfigured),
        ("CROSSSLOT Keys in request don't hash to the same slot", .misconfigured), ("NOPROTO", .misconfigured),
        ("ERR unknown command `EVALSHA`, with args beginning with:", .misconfigured),
        ("NOSCRIPT No matching script. Please use EVAL.", .noScript),
        ("ERR Protocol error: invalid bulk length", .tooLarge),
        ("FENCED the stream belongs to epoch 7", .fenced), ("HOLE 42", .hole(wanted: 42)), ("HOLE x", .other),
        ("MOVED 3999 127.0.0.1:6381", .moved(host: "127.0.0.1", port: 6_381)),
        ("ASK 3999 ::1:6381", .moved(host: "::1", port: 6_381)), ("MOVED 3999 :6381", .moved(host: nil, port: 6_381)),
        ("MOVED 3999 ?:6381", .moved(host: nil, port: 6_381)), ("MOVED 3999", .lost), ("MOVED 1 h:99999", .lost),
        ("ERR something else", .other), ("", .other),
    ])
    func `an error reply is classified`(_ text: String, _ error: RedisError) {
        #expect(RedisError(text) == error)
    }

    // MARK: - What may be lost

    @Test(
        arguments: [
            ("yes", "always", "", "aof always", []), ("yes", "everysec", "", "aof everysec", ["last second"]),
            ("yes", "no", "3600 1", "aof no", ["half a minute"]),
            ("no", "everysec", "", "none", ["the stream is lost"]),
            ("no", "everysec", "3600 1", "rdb", ["since the last one"]),
            (nil, nil, nil, "unknown", ["does not tell"]), ("yes", nil, nil, "unknown", ["does not tell"]),
        ] as [(String?, String?, String?, String, [String])])
    func `the settings say how durable a record is`(
        _ appendOnly: String?, _ sync: String?, _ save: String?, _ name: String, _ words: [String]
    ) {
        let durability = RedisDurability(
            appendOnly: appendOnly, appendSync: sync, save: save, evictionPolicy: "noeviction")
        #expect(durability.name == name)
        #expect(durability.warnings.count == words.count)
        for (warning, words) in zip(durability.warnings, words) { #expect(warning.contains(words)) }
    }

    @Test(arguments: [("allkeys-lru", true), ("allkeys-random", true), ("volatile-lru", false), ("noeviction", false)])
    func `a policy that may remove the stream earns a warning`(_ policy: String, _ isWarned: Bool) {
        let durability = RedisDurability(
            appendOnly: "yes", appendSync: "always", save: "", evictionPolicy: policy)
        #expect(durability.warnings.contains { $0.contains(policy) } == isWarned)
    }

    @Test func `words of the server that repeat the password are cut`() {
        let words = RedisSetup.words("ERR unknown command `AUTH`, with args: `hunter2`", without: SecretText("hunter2"))
        #expect(words == "ERR …")
    }
}
