import Foundation
import GenesysLoop
import Testing

@testable import genesys_loop

extension Tag {
    /// Needs real time, and runs only with `Scripts/test --all`.
    @Tag static var realTime: Self
}

/// The metrics server under load, and with its own deadlines.
@Suite(
    .timeLimit(.minutes(patience(3))), .tags(.realTime),
    .enabled(if: isWhole, "ten seconds, and a minute: with --all only"))
struct MetricsLoadTests {
    /// Scrapes on schedule for a time, one connection for every second scrape; returns how many were answered.
    private static func scrape(_ listener: MetricsListener, perSecond rate: Int, for duration: Duration) async -> Int {
        let port = listener.port
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let start = ContinuousClock.now
                let kept = try? HTTPSocket(port)
                var count = 0
                var number = 0
                while ContinuousClock.now - start < duration {
                    let rest = start + .seconds(1) / rate * number - ContinuousClock.now
                    if rest > .zero { Thread.sleep(forTimeInterval: rest / .seconds(1)) }
                    number += 1
                    if number.isMultiple(of: 2) {
                        kept?.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
                        if kept?.next()?.status == 200 { count += 1 }
                    } else if HTTPSocket.get("/metrics", port: port)?.status == 200 {
                        count += 1
                    }
                }
                continuation.resume(returning: count)
            }
        }
    }

    @Test func `a thousand scrapes a second cost none of 5,000 notifications a second`() async throws {
        try await Simulator.with("--rate", "5000") { simulator in
            let listener = try await MetricsListener(simulator.listening())
            try await listener.event("subscribed")
            let count = await Self.scrape(listener, perSecond: 1_000, for: .seconds(10))
            let end = await listener.stop()
            try MetricsListener.expectWhole(end)
            // A debug build on a busy machine may be too slow for all of it.
            #expect(count >= 1_000)
            #expect(try MetricsListener.sequences(end).count >= 20_000)
        }
    }

    @Test func `the deadlines are five, ten and sixty seconds`() throws {
        let stage = try MetricsStage()
        stage.text.withLock { $0 = String(repeating: "# x\n", count: 4_000_000) }
        let slow = try stage.connect()
        slow.send("GET /healthz HTTP/1.1\r\n")
        let unread = try stage.connect(receiveByteCount: 4_096)
        unread.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        let idle = try stage.connect()
        idle.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        let start = ContinuousClock.now
        #expect(idle.next()?.status == 200)
        #expect(slow.next()?.status == 408)
        #expect((.milliseconds(4_900)...(.seconds(8))).contains(ContinuousClock.now - start))
        while !unread.hasEnded { Thread.sleep(forTimeInterval: 0.05) }
        #expect((.milliseconds(9_900)...(.seconds(13))).contains(ContinuousClock.now - start))
        #expect(idle.rest() == [])
        #expect((.milliseconds(59_900)...(.seconds(63))).contains(ContinuousClock.now - start))
    }
}
