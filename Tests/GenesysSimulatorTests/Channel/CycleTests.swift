import Foundation
import GenesysLoop
import GenesysSimulator
import Testing

/// Runs in a process of its own, so that no other test opens descriptors or allocates memory.
@Suite(.timeLimit(.minutes(patience(5)))) struct CycleTests {
    @Test func `a thousand channels opened and closed leave no descriptor and no memory behind`() async {
        await #expect(processExitsWith: .success) {
            try Cycles.run(count: 1_000)
        }
    }
}

enum Cycles {
    static func run(count total: Int) throws {
        let playground = try Playground { $0.publishing.rate = 0 }
        let uri = try playground.server.createChannel().uri
        let host = RecordingHost()
        var count = 0
        var descriptors: [Int] = []
        var memory: [Int] = []
        host.onEvent = { event, channel in
            if event == .subscribed { channel.close() }
            guard event == .closed else { return }
            count += 1
            if count == total / 10 || count == total {
                descriptors.append(descriptorCount())
                memory.append(residentByteCount())
            }
            guard count < total, let next = try? playground.channel(host, uri: uri) else {
                return playground.server.close {}
            }
            next.open()
        }
        try playground.channel(host, uri: uri).open()
        playground.loop.run()
        host.forget()
        precondition(count == total, "only \(count) cycles")
        precondition(host.events.count == 2 * total, "\(host.events.count) events")
        precondition(descriptors[0] == descriptors[1], "descriptors: \(descriptors)")
        // A sanitizer keeps freed memory on purpose and detects leaks itself.
        guard ProcessInfo.processInfo.environment["GENESYS_LOOP_SANITIZER"] == nil else { return }
        // 2 KiB for each of 900 channels would be a leak; the allocator's own noise is less.
        precondition(memory[1] - memory[0] < 2 * 1_024 * (total - total / 10), "resident bytes: \(memory)")
    }

    private static func descriptorCount() -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
    }

    private static func residentByteCount() -> Int {
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4_096 : 0
    }
}
