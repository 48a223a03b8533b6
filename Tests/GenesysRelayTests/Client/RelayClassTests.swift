import Foundation
import GenesysLoop
import Testing

@testable import GenesysRelay

/// The class with an engine in memory, on a loop of its own.
@Suite(.timeLimit(.minutes(1))) struct RelayClassTests {
    private let loop: UVLoop
    private let sink: MemorySink
    private let host: RelayHost

    init() throws {
        loop = try UVLoop()
        sink = MemorySink(on: loop)
        host = RelayHost(on: loop)
    }

    private func relay(_ change: (inout RelayConfiguration) -> Void = { _ in }) throws -> Relay {
        var configuration = RelayConfiguration()
        configuration.linger = .zero
        change(&configuration)
        let relay = try Relay(
            name: "test", target: .standardOutput, sink: sink, on: loop, delegate: host, configuration: configuration)
        host.relay = relay
        return relay
    }

    /// Opens the relay, does something when the channel is wanted, and runs to the end.
    private func run(
        _ change: (inout RelayConfiguration) -> Void = { _ in }, then body: @escaping (RelayHost) -> Void
    ) throws {
        let relay = try relay(change)
        host.onCall = { if $1 == .source { body($0) } }
        relay.open()
        loop.run()
    }

    private var types: [String] { sink.records.map(\.type) }

    // MARK: The way of a record

    @Test func `notifications are stored in order, with their topic and correlation id, and then the relay closes`()
        throws
    {
        try run {
            $0.relay?.sourceDidSubscribe()
            $0.receive(1...200)
            $0.receive("{\"topicName\":\"v2.\\u0074\",\"metadata\":{\"CorrelationId\":\"a\\\"b\"},\"eventBody\":{}}")
            $0.relay?.close()
            $0.receive(500...500)
        }
        #expect(types == ["epoch"] + Array(repeating: "notification", count: 201))
        #expect(sink.records.map(\.id.sequence) == Array(1...202))
        #expect(sink.records[1].topic == "v2.t")
        #expect(sink.records[7].correlation == "c7")
        #expect(sink.records[201].topic == "v2.t")
        #expect(sink.records[201].correlation == "a\"b")
        #expect(host.plot == [.source, .event(.drained), .closed])
        #expect(sink.closing?.isReleased == true)
        let statistics = try #require(host.relay).statistics
        #expect(statistics.receivedCount == 201)
        #expect(statistics.storedCount == 202)
        #expect(statistics.storeLatencies.count == 202)
        #expect(statistics.engineConnectCount == 1)
        #expect(!statistics.isEngineConnected)
        #expect(statistics.queueAge == nil)
    }

    @Test func `the engine is described once for a connection, and the last record is named`() throws {
        try run { $0.relay?.close() }
        let first = try #require(sink.records.last?.id.description)
        guard case .event(.engineConnected(let engine)) = host.calls.first else {
            Issue.record("\(host.calls)")
            return
        }
        #expect(
            engine == RelayEngine(version: "memory 1", durability: "none", warnings: ["Volatile."], lastStored: nil))
        let next = RelayHost(on: loop)
        next.relay = try Relay(name: "test", target: .standardOutput, sink: sink, on: loop, delegate: next)
        next.onCall = { if $1 == .source { $0.relay?.close() } }
        next.relay?.open()
        loop.run()
        guard case .event(.engineConnected(let again)) = next.calls.first else {
            Issue.record("\(next.calls)")
            return
        }
        #expect(again.lastStored == first)
    }

    @Test func `a gap of the channel is a record between the notifications`() throws {
        try run {
            $0.receive(1...1)
            $0.relay?.report(
                Gap(from: WallTime(seconds: 5), to: WallTime(seconds: 65), reason: .connectionClosed))
            $0.receive(2...2)
            $0.relay?.close()
        }
        #expect(types == ["epoch", "notification", "gap", "notification"])
        #expect(sink.records[2].data.contains("\"reason\":\"connectionClosed\",\"topics\":\"all\""))
        #expect(try #require(host.relay).statistics.gapDurationsByReason == ["connectionClosed": .seconds(60)])
    }

    @Test func `what the head covers follows the silence of the channel, not its notifications`() throws {
        host.silence = .seconds(100)
        var before = WallTime(seconds: 0)
        try run {
            before = $0.loop.now.wall
            $0.relay?.sourceDidSubscribe()
            $0.receive(1...10)
            $0.relay?.close()
        }
        // The engine was opened later than a hundred seconds ago, and nothing before it is covered.
        let covered = try #require(sink.closing?.coveredUntil)
        #expect(covered <= before)
    }

    // MARK: Loss

    @Test func `after a lost connection everything is there once, also what was stored without an answer`() throws {
        let sink = sink
        try run {
            sink.isFrozen = true
            $0.receive(1...300)
            $0.loop.schedule(after: .milliseconds(5)) { [host = $0] in
                sink.lose(storing: true)
                sink.isFrozen = false
                host.receive(301...400)
                host.relay?.close()
            }
        }
        #expect(types.count == 401)
        #expect(sink.records.map(\.id.sequence) == Array(1...401))
        #expect(host.plot == [.source, .event(.engineLost(reason: "cut")), .event(.drained), .closed])
        let statistics = try #require(host.relay).statistics
        #expect(statistics.engineConnectCount == 2)
        #expect(statistics.duplicateCount > 0)
    }

    @Test func `an engine that is not there in time ends the relay`() throws {
        sink.loss = "connection refused"
        try run({ $0.firstConnectionLimit = .milliseconds(20) }) { _ in }
        let unavailable = RelayEvent.engineUnavailable(reason: "connection refused")
        #expect(host.plot == [.event(unavailable), .failed(.unreachable, undelivered: 0)])
        #expect(host.failure?.description == "The engine cannot be reached: connection refused")
    }

    @Test func `what every try would repeat ends the relay, with the number of records that are left`() throws {
        let sink = sink
        try run {
            sink.isFrozen = true
            $0.receive(1...3)
            $0.loop.schedule(after: .milliseconds(1)) {
                sink.delegate?.sink(sink, didFail: RelaySinkFailure(.configuration, "NOPERM: no right to add."))
            }
        }
        #expect(host.plot == [.source, .failed(.refused, undelivered: 3)])
        #expect(host.failure?.description == "NOPERM: no right to add. 3 records are not delivered.")
    }

    // MARK: Pressure

    @Test func `a full queue pauses the channel, which is resumed when half of it is stored`() throws {
        let sink = sink
        let host = host
        let relay = try relay { $0.queueBytes = 65_536 }
        host.onCall = { host, call in
            switch call {
            case .source:
                sink.isFrozen = true
                host.receive(1...100, size: 1_000)
            case .pause: host.loop.schedule(after: .milliseconds(1)) { sink.thaw() }
            case .resume: host.relay?.close()
            default: break
            }
        }
        relay.open()
        loop.run()
        #expect(types == ["epoch"] + Array(repeating: "notification", count: 100))
        #expect(host.plot == [.source, .event(.overflow), .pause, .resume, .event(.drained), .closed])
        #expect(relay.statistics.pausedDuration > .zero)
        #expect(relay.statistics.droppedCount == 0)
    }

    @Test func `a pause that lasts too long ends with a gap record that has the dropped numbers`() throws {
        let sink = sink
        let host = host
        let relay = try relay {
            $0.queueBytes = 65_536
            $0.pauseLimit = .milliseconds(20)
        }
        host.onCall = { host, call in
            switch call {
            case .source:
                sink.isFrozen = true
                host.receive(1...100, size: 1_000)
            case .resume:
                host.loop.schedule(after: .zero) {
                    host.relay?.close()
                    sink.thaw()
                }
            default: break
            }
        }
        relay.open()
        loop.run()
        try expectDrop()
    }

    @Test func `drop-oldest leaves a gap record that has the dropped numbers, without a pause`() throws {
        let sink = sink
        try run({
            $0.queueBytes = 65_536
            $0.overflow = .dropOldest
        }) { host in
            sink.isFrozen = true
            host.receive(1...100, size: 1_000)
            host.loop.schedule(after: .zero) {
                host.relay?.close()
                sink.thaw()
            }
        }
        #expect(!host.calls.contains(.pause))
        try expectDrop()
    }

    /// Every number is that of a record, or stands in the gap record behind it.
    private func expectDrop() throws {
        var sequence: UInt64 = 0
        var dropped = 0
        for record in sink.records {
            defer { sequence = record.id.sequence }
            guard record.id.sequence > sequence + 1 else { continue }
            let range = sequence + 1...record.id.sequence - 1
            #expect(record.type == "gap")
            #expect(record.data.contains("\"sequences\":[\(range.lowerBound),\(range.upperBound)]"))
            #expect(record.data.contains("\"reason\":\"overflow\""))
            #expect(host.calls.contains(.event(.dropped(sequences: range))))
            dropped += range.count
        }
        #expect(dropped > 0)
        #expect(types.filter { $0 == "notification" }.count + dropped == 100)
        #expect(host.relay?.statistics.droppedCount == dropped)
    }

    @Test func `a queue that is not drained in time is counted`() throws {
        let sink = sink
        try run({ $0.drainLimit = .milliseconds(30) }) {
            sink.isFrozen = true
            $0.receive(1...5)
            $0.relay?.close()
        }
        #expect(host.plot == [.source, .failed(.undelivered, undelivered: 5)])
        #expect(sink.closing?.isReleased == false)
    }

    // MARK: Dead letters

    @Test func `a record that is refused for good becomes a dead letter, and a gap record stands in its place`() throws
    {
        let path = FileManager.default.temporaryDirectory.appending(path: "letters-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        sink.poison = "\"n\":2,"
        try run({ $0.deadLetterFile = path }) {
            $0.receive(1...3)
            $0.relay?.close()
        }
        #expect(types == ["epoch", "notification", "gap", "notification"])
        #expect(sink.records[2].data.contains("\"reason\":\"refused\""))
        #expect(sink.records[2].data.contains("\"sequences\":[3,3]"))
        #expect(host.plot.contains(.event(.refused(sequence: 3, reason: "too large"))))
        let line = try String(contentsOfFile: path, encoding: .utf8)
        #expect(line.hasSuffix("\n"))
        let letter = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(letter["refused"] as? String == "too large")
        #expect(letter["type"] as? String == "genesys.notification")
        #expect(letter["source"] as? String == "genesys/test")
        #expect((letter["id"] as? String)?.hasSuffix(".00000000000000000003") == true)
        #expect(host.relay?.statistics.refusedCount == 1)
        #expect(host.relay?.statistics.deadLetterCount == 1)
    }

    @Test func `a file of dead letters that cannot be written is an event, and the relay continues`() throws {
        sink.poison = "\"n\":2,"
        try run({ $0.deadLetterFile = "/nowhere/letters" }) {
            $0.receive(1...3)
            $0.loop.schedule(after: .milliseconds(50)) { [relay = $0.relay] in relay?.close() }
        }
        #expect(types == ["epoch", "notification", "gap", "notification"])
        let failures = host.calls.filter { if case .event(.deadLetterFailed) = $0 { true } else { false } }
        #expect(failures.count == 2)
        #expect(host.calls.last == .closed)
    }

    // MARK: Callbacks

    @Test(arguments: 0..<6)
    func `the relay may be closed in every callback, and the last reference may be dropped there`(number: Int) throws {
        let sink = sink
        let host = host
        weak var weakRelay: Relay?
        do {
            let relay = try relay {
                $0.queueBytes = 65_536
                $0.pauseLimit = .milliseconds(10)
                $0.drainLimit = .milliseconds(100)
            }
            weakRelay = relay
            host.onCall = { host, call in
                if host.calls.count == number + 1 {
                    host.relay?.close()
                    host.relay?.close()
                    host.relay = nil
                }
                switch call {
                case .source:
                    sink.isFrozen = true
                    host.receive(1...100, size: 1_000)
                    host.receive(1...1)
                case .pause: host.loop.schedule(after: .milliseconds(1)) { sink.lose() }
                case .resume: sink.thaw()
                default: break
                }
            }
            relay.open()
        }
        loop.run()
        let ends = host.calls.filter {
            switch $0 {
            case .closed, .failed: true
            default: false
            }
        }
        #expect(ends.count == 1)
        #expect(host.calls.last == ends.first)
        host.relay = nil
        #expect(weakRelay == nil)
    }

    @Test func `without its delegate a relay closes itself`() throws {
        let sink = sink
        let relay = try relay()
        host.onCall = { host, call in
            guard call == .source else { return }
            sink.isFrozen = true
            host.relay?.delegate = nil
            host.receive(1...1)
            host.loop.schedule(after: .milliseconds(1)) { sink.lose() }
            host.loop.schedule(after: .milliseconds(2)) { sink.thaw() }
        }
        relay.open()
        loop.run()
        #expect(types == ["epoch", "notification"])
        #expect(host.plot == [.source])
    }

    @Test func `a relay that was never opened closes with its terminal call, and leaves nothing`() throws {
        let relay = try relay()
        relay.close()
        #expect(host.calls.isEmpty)
        loop.run()
        #expect(host.calls == [.closed])
        relay.open()
        loop.run()
        #expect(host.calls == [.closed])
        #expect(sink.openCount == 0)
    }

    // MARK: What is refused

    @Test(arguments: ["", "a b", "ä", "a/b", String(repeating: "a", count: 65)])
    func `a name is 1 to 64 letters, digits, dots, underscores and hyphens`(name: String) throws {
        #expect(throws: RelayError.self) { try Relay(name: name, target: .standardOutput, on: loop) }
    }

    @Test func `no printed form of a configuration or a target holds the password`() throws {
        var configuration = RelayConfiguration()
        configuration.password = "hunter2"
        let target = try RelayTarget("redis://me:hunter2@host/3")
        var text = "\(configuration) \(target) \(String(reflecting: configuration))"
        dump(configuration, to: &text)
        dump(target, to: &text)
        #expect(!text.contains("hunter2"))
        #expect(target.hasPassword)
    }

    @Test(arguments: ["", "a{b}", "}"])
    func `the key of a stream has no braces`(key: String) throws {
        #expect(throws: RelayError.self) { try relay { $0.stream = key } }
    }

    @Test func `a queue has 64 KiB at least`() {
        var configuration = RelayConfiguration()
        configuration.queueBytes = 100
        #expect(configuration.settings.queueBytes == 65_536)
        configuration.queueBytes = 65_537
        #expect(configuration.settings.queueBytes == 65_537)
    }

    @Test func `a target is an engine, a file or standard output`() throws {
        #expect(try RelayTarget("-") == .standardOutput)
        #expect(try RelayTarget("file:a b") == .file("a b"))
        #expect("\(try RelayTarget("file:/a"))" == "file:/a")
        for text in ["", "file:", "stream", "nats://host", "redis+unix://u:secret@host", "http://u:secret@host"] {
            let error = #expect(throws: RelayError.self) { try RelayTarget(text) }
            #expect(error?.description.contains("secret") == false)
        }
    }
}
