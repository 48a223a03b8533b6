@testable import GenesysLoop

/// Makes random JSON documents, and damages them.
enum EnvelopeDocument {
    static func generate(using random: inout EnvelopeRandom) -> [UInt8] {
        var text = space(&random)
        text += value(&random, depth: 0) + space(&random)
        return [UInt8](text.utf8)
    }

    /// An object with unique names, some of them the protocol's.
    static func generateObject(using random: inout EnvelopeRandom) -> [UInt8] {
        let known = ["topicName", "eventBody", "metadata", "result", "message", "topics", "topic\\u004eame"]
        var names = known.filter { _ in random.below(2) == 0 }
        if names.contains("topicName") { names.removeAll { $0 == "topic\\u004eame" } }
        let members = (names + ["x", "é"]).shuffled(using: &random).map {
            "\"\($0)\":" + space(&random) + ($0.hasPrefix("topicN") ? string(&random) : value(&random, depth: 1))
        }
        return [UInt8](("{" + space(&random) + members.joined(separator: ", ") + "}").utf8)
    }

    /// One to three small changes, as a broken sender or a broken reader would make them.
    static func damage(_ document: inout [UInt8], using random: inout EnvelopeRandom) {
        let marks = Array("{}[]\",:\\0123456789.-+eEtfn \n\t\u{1}u/x".utf8)
        for _ in 0...random.below(3) where !document.isEmpty {
            let position = random.below(document.count)
            switch random.below(6) {
            case 0: document.remove(at: position)
            case 1: document.insert(marks[random.below(marks.count)], at: position)
            case 2: document[position] = marks[random.below(marks.count)]
            case 3: document.swapAt(position, random.below(document.count))
            case 4: document.removeSubrange(position..<min(document.count, position + random.below(6)))
            default: document.insert(contentsOf: document[position...].prefix(random.below(8)), at: position)
            }
        }
    }

    private static func value(_ random: inout EnvelopeRandom, depth: Int) -> String {
        switch random.below(depth > 4 ? 5 : 9) {
        case 0: return ["true", "false", "null"][random.below(3)]
        case 1, 2: return number(&random)
        case 3, 4: return string(&random)
        case 5, 6:
            let items = (0..<random.below(4)).map { _ in space(&random) + value(&random, depth: depth + 1) }
            return "[" + items.joined(separator: ",") + space(&random) + "]"
        default:
            let members = (0..<random.below(4)).map { index in
                space(&random) + "\"\(index)" + string(&random).dropFirst() + space(&random) + ":" + space(&random)
                    + value(&random, depth: depth + 1)
            }
            return "{" + members.joined(separator: ",") + space(&random) + "}"
        }
    }

    private static func number(_ random: inout EnvelopeRandom) -> String {
        var text = random.below(3) == 0 ? "-" : ""
        text += random.below(3) == 0 ? "0" : "\(1 + random.below(1 << random.below(50)))"
        if random.below(3) == 0 { text += ".\(random.below(100_000))" }
        if random.below(4) == 0 { text += ["e", "E", "e+", "E-", "e-"][random.below(5)] + "\(random.below(40))" }
        return text
    }

    private static func string(_ random: inout EnvelopeRandom) -> String {
        let pieces = [
            "a", "Z", " ", "é", "€", "😀", "/", "\u{7F}", "{", "]", ":", ",", "'", "\\\"", "\\\\", "\\/", "\\b", "\\n",
            "\\t", "\\u0041", "\\u00e9", "\\ud83d\\ude00", "\\u2028", "0123456789", "plain text without escapes",
        ]
        let text = (0..<random.below(8)).map { _ in pieces[random.below(pieces.count)] }.joined()
        return "\"" + text + "\""
    }

    private static func space(_ random: inout EnvelopeRandom) -> String {
        random.below(4) == 0 ? [" ", "\n", "\t", "\r\n", "    "][random.below(5)] : ""
    }
}
