import Foundation
import Testing

@testable import GenesysLoop

/// How a stream is cut must not change the events.
///
/// To test a failing stream alone: `GENESYS_LOOP_SEED=number Scripts/test --filter FrameStream`.
@Suite struct FrameStreamTests {
    static let seed = ProcessInfo.processInfo.environment["GENESYS_LOOP_SEED"].flatMap { UInt64($0) }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `a thousand streams give the same events, and fail at the same byte, however they are cut`(batch: UInt64) {
        let seeds = FrameStreamTests.seed.map { $0..<($0 + 1) } ?? batch * 1_000..<(batch + 1) * 1_000
        var failureCount = 0
        for seed in seeds where failureCount < 3 {
            let stream = FrameStreamGenerator.stream(seed: seed)
            var random = SeededGenerator(seed: ~seed)
            let complaints = stream.complaints(longestForEveryCut: 32, using: &random)
            if complaints.isEmpty { continue }
            failureCount += 1
            Issue.record(
                """
                GENESYS_LOOP_SEED=\(seed): \(stream.role), compression: \(stream.deflate != nil), with \(stream.limits.maxMessageByteCount) bytes in \
                \(stream.limits.maxFrameCount) frames: \(stream.bytes.prefix(400)) \(complaints.joined(separator: "; "))
                """)
        }
    }

    @Test func `the streams hold every violation, every event and both roles`() {
        var counts: [String: Int] = [:]
        for seed in 0..<6_000 as Range<UInt64> {
            let stream = FrameStreamGenerator.stream(seed: seed)
            counts["\(stream.role)", default: 0] += 1
            counts[stream.isMidMessage ? "cut" : "whole", default: 0] += 1
            counts[stream.deflate == nil ? "plain" : "compressed", default: 0] += 1
            guard let events = stream.events else {
                counts["damaged", default: 0] += 1
                continue
            }
            for event in events {
                switch event {
                case .message(let kind, _): counts["\(kind)", default: 0] += 1
                case .ping: counts["ping", default: 0] += 1
                case .pong: counts["pong", default: 0] += 1
                case .close(let code, _): counts[code == nil ? "close" : "close with code", default: 0] += 1
                case .violation(let violation): counts["\(stream.role) \(violation)", default: 0] += 1
                }
            }
        }
        let words = [
            "client", "server", "cut", "whole", "damaged", "text", "binary", "ping", "pong", "close with code",
        ]
        for word in words { #expect(counts[word, default: 0] >= 100, "\(word): \(counts)") }
        for violation in WebSocketViolation.allCases {
            if violation != .unmaskedClientFrame { #expect(counts["client \(violation)", default: 0] >= 5) }
            if violation != .maskedServerFrame { #expect(counts["server \(violation)", default: 0] >= 5) }
        }
    }
}
