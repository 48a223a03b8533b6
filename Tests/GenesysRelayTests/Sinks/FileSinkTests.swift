import Foundation
import GenesysLoop
import Testing

@testable import GenesysRelay

/// A machine with a sink on a loop.
final class SinkRig: RelaySinkDelegate {
    let loop: UVLoop
    let sink: any RelaySink
    var machine: RelayMachine
    private(set) var end: RelayMachine.End?
    private(set) var failure: String?
    /// Called when the epoch record is stored.
    var didLead: (SinkRig) -> Void = { _ in }
    var didStore: (SinkRig) -> Void = { _ in }
    var didRefuse: () -> Void = {}
    var seconds: Int64 = 0
    private var isLeading = false

    init(_ sink: any RelaySink, on loop: UVLoop) {
        self.loop = loop
        self.sink = sink
        var settings = RelaySettings()
        settings.linger = .zero
        machine = RelayMachine(name: "test", owner: "me", settings: settings, seed: 1)
        sink.delegate = self
    }

    var now: ClockReading {
        ClockReading(
            instant: Instant(nanoseconds: seconds * 1_000_000_000), wall: WallTime(seconds: 1_900_000_000 + seconds))
    }

    func run() {
        perform(machine.openRequested(now: now))
        loop.run()
    }

    func receive(_ numbers: ClosedRange<Int>) {
        for number in numbers {
            let data = Array("{\"n\":\(number)}".utf8)
            let topic = Array("v2.t".utf8)
            let none: [UInt8] = []
            if machine.received(topic: topic.span, correlation: none.span, data: data.span, now: now) {
                perform(machine.takeActions())
            }
        }
    }

    func close() { perform(machine.closeRequested(now: now)) }

    /// A delay of the machine is over.
    func skipDelay() {
        seconds += 6
        perform(machine.deadlineReached(now: now))
    }

    private func perform(_ actions: [RelayMachine.Action]) {
        for action in actions {
            switch action {
            case .openSink: sink.open(after: nil)
            case .append(let range): sink.append(machine.batch(range))
            case .closeSink(let covered, let isReleased):
                sink.close(coveredUntil: covered, isReleased: isReleased) {}
            case .openSource:
                isLeading = true
                didLead(self)
            case .finish(let end): self.end = end
            case .pauseSource, .resumeSource, .deadLetter, .tell: break
            }
        }
    }

    func sink(_ sink: any RelaySink, didOpen engine: EngineDescription, head: StreamHead?) {
        perform(machine.sinkOpened(head: head, now: now))
    }

    func sink(_ sink: any RelaySink, didStoreThrough id: RecordID) {
        perform(machine.stored(through: id, now: now))
        if isLeading { didStore(self) }
    }

    func sink(_ sink: any RelaySink, didRefuse sequence: UInt64, _ refusal: RelayMachine.Refusal) {
        didRefuse()
        perform(machine.refused(sequence, refusal, now: now))
        skipDelay()
    }

    func sink(_ sink: any RelaySink, didLose reason: String) {
        perform(machine.sinkLost(reason, now: now))
        skipDelay()
    }

    func sink(_ sink: any RelaySink, didFail failure: RelaySinkFailure) {
        self.failure = failure.reason
        perform(machine.sinkFailed(failure.reason))
    }
}

@Suite struct FileSinkTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "relay-\(UUID().uuidString)")

    private var path: String { folder.appending(path: "stream").path() }

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    private func lines(_ name: String = "stream") throws -> [String] {
        let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
        #expect(text.isEmpty || text.hasSuffix("\n"))
        return text.split(separator: "\n").map(String.init)
    }

    /// Each line as `EPOCH.SEQUENCE TYPE DATA`, the epochs from 1 on.
    private func summary(_ name: String = "stream") throws -> [String] {
        try lines(name).map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            let id = RecordID(object["id"] as? String ?? "") ?? RecordID(epoch: 0, sequence: 0)
            let data = object["data"] as? [String: Any] ?? [:]
            let type = (object["type"] as? String ?? "").split(separator: ".").last ?? ""
            let rest = data["n"].map { "\($0)" } ?? data["reason"] as? String ?? ""
            return "\(id.epoch - 1_899_999_999).\(id.sequence) \(type) \(rest)"
        }
    }

    private func relay(_ numbers: ClosedRange<Int>, change: (SinkRig, FileSink) -> Void = { _, _ in }) throws {
        let loop = try UVLoop()
        let sink = try FileSink(path: path, isSynchronized: true, on: loop)
        let rig = SinkRig(sink, on: loop)
        rig.didLead = {
            $0.receive(numbers)
            $0.close()
        }
        change(rig, sink)
        rig.run()
        #expect(rig.end == .drained)
    }

    @Test func `a file gets one line a record, and the next start appends another epoch`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try relay(1...3)
        try relay(4...4)
        #expect(
            try summary() == [
                "1.1 epoch ", "1.2 notification 1", "1.3 notification 2", "1.4 notification 3", "2.1 epoch ",
                "2.2 notification 4",
            ])
        #expect(try lines()[4].contains("\"previous\":{\"epoch\":1900000000,\"coveredUntil\":\"2030-03-17T17:46:40."))
    }

    @Test func `the torn last line of an earlier run is cut, and its writer counts as crashed`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try relay(1...2)
        let whole = try lines()
        // One that is longer than what is read at once.
        let torn = "{\"id\":\"1900000000.00000000000000000004\"," + String(repeating: "x", count: 200_000)
        try Data((whole.joined(separator: "\n") + "\n" + torn).utf8).write(to: URL(filePath: path))
        var head: StreamHead?
        var file = LineFile(path: path, isSynchronized: false)
        let tail = try file.open()
        file.close()
        head = FileSink.head(tail)
        #expect(head?.last == RecordID(epoch: 1_900_000_000, sequence: 3))
        #expect(head?.isReleased == false)
        #expect(try lines() == whole)
        try relay(3...3)
        #expect(try summary().suffix(2) == ["2.1 epoch ", "2.2 notification 3"])
    }

    @Test func `a file that was moved away is made again, and the epoch goes on`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let other = folder.appending(path: "moved")
        try relay(1...1) { rig, sink in
            var isMoved = false
            rig.didLead = { $0.receive(1...1) }
            rig.didStore = { rig in
                if !isMoved {
                    isMoved = true
                    try? FileManager.default.moveItem(at: URL(filePath: path), to: other)
                    sink.reopen()
                    rig.receive(2...2)
                    rig.close()
                }
            }
        }
        #expect(try summary("moved") == ["1.1 epoch ", "1.2 notification 1"])
        #expect(try summary() == ["1.3 notification 2"])
    }

    @Test func `a file that cannot be opened again stays open`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        var file = LineFile(path: path, isSynchronized: false)
        _ = try file.open()
        try file.append(Array("a\n".utf8))
        try file.reopen()
        try FileManager.default.moveItem(at: URL(filePath: path), to: folder.appending(path: "moved"))
        try FileManager.default.createDirectory(at: URL(filePath: path), withIntermediateDirectories: true)
        #expect(throws: LineFile.Failure.self) { try file.reopen() }
        try file.append(Array("b\n".utf8))
        file.close()
        #expect(try lines("moved") == ["a", "b"])
    }

    @Test func `one writer has a file, also when it was opened again`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        var first = LineFile(path: path, isSynchronized: false)
        _ = try first.open()
        for _ in 0..<2 {
            var second = LineFile(path: path, isSynchronized: false)
            let failure = #expect(throws: LineFile.Failure.self) { try second.open() }
            #expect(failure?.kind == .held && failure?.isFinal == true)
            #expect(try second.look(asksForLock: true).isHeld)
            try FileManager.default.removeItem(at: URL(filePath: path))
            try first.reopen()
        }
        first.close()
        var second = LineFile(path: path, isSynchronized: false)
        #expect(try second.look(asksForLock: true).isHeld == false)
        _ = try second.open()
        second.close()
    }

    @Test(arguments: [
        ("precious", nil), ("precious\nmore", nil), ("{\"id\":\"x\"}\nmore", nil), ("{\"i", ""), ("{\"id\":\"7.0", ""),
        ("precious\n", "precious\n"),
        ("{\"id\":\"7.00000000000000000001\"}\n{\"", "{\"id\":\"7.00000000000000000001\"}\n"),
    ])
    func `a line without an end is cut only in a file of a relay`(_ content: String, _ rest: String?) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(content.utf8).write(to: URL(filePath: path))
        var file = LineFile(path: path, isSynchronized: false)
        if rest == nil {
            let failure = #expect(throws: LineFile.Failure.self) { try file.open() }
            #expect(failure?.reason.contains("no file of a relay") == true && failure?.isFinal == true)
            #expect(throws: LineFile.Failure.self) { try file.look() }
        } else {
            _ = try file.look()
            _ = try file.open()
            file.close()
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == rest ?? content)
    }

    @Test func `a folder that does not exist is a failure with the path`() throws {
        let loop = try UVLoop()
        let rig = SinkRig(try FileSink(path: path + "/none/stream", on: loop), on: loop)
        rig.run()
        #expect(rig.failure?.hasPrefix("Cannot open \(path)/none/stream: ") ?? false)
    }

    #if os(Linux)
    @Test func `what does not fit is refused for now, nothing of it stays, and it follows when there is room`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        // An almost empty file that is as long as the process may make one, but for a part of a line.
        let size = 1 << 30
        let descriptor = unsafe open(path, O_RDWR | O_CREAT, 0o600)
        let ends: [UInt8] = [0x0A, 0x0A]
        _ = unsafe ends.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, 2, size - 2) }
        let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
        var before = rlimit()
        _ = unsafe getrlimit(resource, &before)
        var limit = rlimit(rlim_cur: rlim_t(size + 50), rlim_max: before.rlim_max)
        _ = unsafe setrlimit(resource, &limit)
        var sizes: [Int64] = []
        try relay(1...2) { rig, _ in
            rig.didRefuse = { [before] in
                var status = stat()
                _ = unsafe fstat(descriptor, &status)
                sizes.append(Int64(status.st_size))
                var before = before
                _ = unsafe setrlimit(resource, &before)
            }
        }
        #expect(sizes == [Int64(size)])
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, size) }
        close(descriptor)
        let lines = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n")
        #expect(lines.map { $0.prefix(7) } == Array(repeating: "{\"id\":\"", count: 3))
    }
    #endif

    @Test func `a target that can be neither written nor cut is a failure for good`() throws {
        let loop = try UVLoop()
        let rig = SinkRig(try FileSink(path: "/dev/full", on: loop), on: loop)
        rig.run()
        #expect(rig.failure == "Cannot write /dev/full: no space left on device.")
        #expect(rig.end == .refused("Cannot write /dev/full: no space left on device.", undelivered: 1))
    }

    @Test func `a time is read as it is written`() {
        var random = SplitMix64(seed: 3)
        for _ in 0..<1_000 {
            let time = WallTime(
                seconds: Int64(random.next() % 8_000_000_000), nanoseconds: Int32(random.next() % 1_000_000) * 1_000)
            #expect(WallTime(microsecondText: time.microsecondText) == time)
        }
        for text in ["", "2026-11-30T05:41:28.749Z", "2026-13-30T05:41:28.749312Z", "2026-11-30 05:41:28.749312Z"] {
            #expect(WallTime(microsecondText: text) == nil)
        }
    }
}
