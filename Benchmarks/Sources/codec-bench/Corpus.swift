import Foundation

/// The measured messages, the same in every run.
enum Corpus {
    /// `count` ASCII notifications of queue observations, each of exactly `byteCount` bytes.
    ///
    /// Built like the sample `06_queue_observations`, the kind that grows; no two are equal, so that the processor
    /// cannot learn one of them.
    static func notifications(count: Int, byteCount: Int) -> [[UInt8]] {
        var random = SplitMix64(seed: 400)
        return (0..<count).map { _ in notification(byteCount: byteCount, using: &random) }
    }

    private static func notification(byteCount: Int, using random: inout SplitMix64) -> [UInt8] {
        let queue = identifier(&random)
        var text = #"{"topicName":"v2.analytics.queues.\#(queue).observations","version":"2","eventBody":{"#
        text += #""group":{"queueId":"\#(queue)","mediaType":"voice"},"data":[{"#
        text += #""interval":"2024-05-14T09:00:00.000Z/2024-05-14T09:30:00.000Z","metrics":["#
        let end = #"]}]},"metadata":{"CorrelationId":"\#(identifier(&random))"}}"#
        var separator = ""
        while true {
            let next = separator + metric(&random)
            guard text.utf8.count + next.utf8.count + end.utf8.count <= byteCount else { break }
            text += next
            separator = ","
        }
        text += end
        // Padding for the size goes into the version, as plain text.
        let padding = String(repeating: "2", count: byteCount - text.utf8.count)
        text.replace(#""version":"2""#, with: #""version":"2\#(padding)""#, maxReplacements: 1)
        precondition(text.utf8.count == byteCount && text.utf8.allSatisfy { $0 < 0x80 })
        return [UInt8](text.utf8)
    }

    private static func metric(_ random: inout SplitMix64) -> String {
        func number(_ bound: Int) -> String { "\(Int.random(in: 0..<bound, using: &random)).0" }
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return #"{"metric":"oWaiting","stats":{"count":\#(number(100))}}"#
        case 1: return #"{"metric":"oOnQueueUsers","qualifier":"IDLE","stats":{"count":\#(number(40))}}"#
        case 2:
            return #"{"metric":"oUserRoutingStatuses","qualifier":"INTERACTING","stats":{"count":\#(number(40))}}"#
        case 3:
            let stats = #""count":\#(number(90)),"sum":\#(number(900_000)),"min":\#(number(900))"#
            return #"{"metric":"tAnswered","stats":{\#(stats),"max":\#(number(90_000))}}"#
        default:
            let stats = #""ratio":0.81,"numerator":\#(number(40)),"denominator":\#(number(40)),"target":0.8"#
            return #"{"metric":"oServiceLevel","stats":{\#(stats)}}"#
        }
    }

    private static func identifier(_ random: inout SplitMix64) -> String {
        [8, 4, 4, 4, 12].map { length in
            (0..<length).map { _ in String(Int.random(in: 0..<16, using: &random), radix: 16) }.joined()
        }.joined(separator: "-")
    }

    /// `count` messages of at most `byteCount` bytes, made from a sample by filling one of its arrays with elements of
    /// that array in random order.
    static func grown(_ sample: [UInt8], array name: String, count: Int, byteCount: Int) -> [[UInt8]] {
        let opening = Array("\"\(name)\":[".utf8)
        guard
            let start = sample.indices.first(where: { sample[$0...].starts(with: opening) }).map({
                $0 + opening.count - 1
            }),
            let end = try? EnvelopeScanner.scanValue(at: start, in: sample.span).end
        else { preconditionFailure("the sample has no array \(name)") }
        let elements = JSONSlice(start..<end, in: sample.span).elements(in: sample.span).map { sample[$0.range] }
        var random = SplitMix64(seed: 16)
        return (0..<count).map { _ in
            var message = Array(sample[...start])
            while true {
                let element = elements[Int.random(in: 0..<elements.count, using: &random)]
                guard message.count + element.count + 1 + sample.count - end <= byteCount else { break }
                message += element + [UInt8(ascii: ",")]
            }
            message.removeLast()
            return message + sample[(end - 1)...]
        }
    }

    /// The messages of the folder `Tests/Samples`, as the service sends them, by their file names.
    static func samples(in folder: String) throws -> [String: [UInt8]] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".json") }
        return try names.reduce(into: [:]) { samples, name in
            samples[name] = try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
        }
    }

    /// Texts of about `byteCount` bytes, composed at random from words of one kind.
    static func texts(_ kind: TextKind, count: Int, byteCount: Int) -> [[UInt8]] {
        var random = SplitMix64(seed: 8)
        return (0..<count).map { _ in
            var text: [UInt8] = []
            while text.count < byteCount {
                text.append(contentsOf: kind.words[Int.random(in: 0..<kind.words.count, using: &random)].utf8)
            }
            // Cut to the size between two characters, and padded.
            var end = byteCount
            while end < text.count && text[end] & 0xC0 == 0x80 { end -= 1 }
            return text[..<end] + [UInt8](repeating: 0x2E, count: byteCount - end)
        }
    }
}
