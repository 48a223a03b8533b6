import Foundation

@testable import GenesysLoop

/// Shared by the tests of the scanner.
enum EnvelopeTesting {
    static let sampleNames = [
        "01_presence", "02_routingStatus", "03_activity", "04_conversationsummary", "05_conversations_callback",
        "06_queue_observations", "07_transcription", "08_transcription_status_only", "09_heartbeat", "10_pong",
        "11_socket_closing", "12_subscribed", "13_subscribe_error",
    ]

    static func sample(_ name: String, file: String = #filePath) throws -> [UInt8] {
        let tests = URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return [UInt8](try Data(contentsOf: tests.appendingPathComponent("Samples/\(name).json")))
    }

    static func scan(_ bytes: [UInt8]) throws(EnvelopeError) -> Envelope {
        try EnvelopeScanner.scan(bytes.span)
    }

    static func scan(_ text: String) throws(EnvelopeError) -> Envelope {
        try scan([UInt8](text.utf8))
    }

    /// nil if the scanner accepts the text as JSON, whether it is an object or not.
    static func violation(_ bytes: [UInt8]) -> EnvelopeError? {
        do {
            _ = try scan(bytes)
            return nil
        } catch {
            return error == .notAnObject ? nil : error
        }
    }

    /// How a text message with these bytes is read: the codec checks that they are UTF-8, the scanner the rest.
    enum Verdict: Equatable {
        case taken
        case refused(offset: Int)
        case notUTF8
    }

    static func verdict(_ bytes: [UInt8]) -> Verdict {
        guard UTF8Validator.isValid(bytes.span, 0..<bytes.count) else { return .notUTF8 }
        switch violation(bytes) {
        case nil, .notAnObject: return .taken
        case .invalidJSON(let offset, _), .tooDeep(let offset): return .refused(offset: offset)
        }
    }

    static func text(_ slice: JSONSlice?, in bytes: [UInt8]) -> String? {
        slice.map { String(decoding: bytes[$0.range], as: UTF8.self) }
    }

    static func string(_ slice: JSONSlice?, in bytes: [UInt8]) -> String? {
        slice?.string(in: bytes.span)
    }

    static func classify(_ text: String) throws -> MessageClass {
        let bytes = [UInt8](text.utf8)
        return MessageClass(try scan(bytes), in: bytes.span)
    }
}

/// A small seeded generator (SplitMix64), so that a failing document can be reproduced.
struct EnvelopeRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
