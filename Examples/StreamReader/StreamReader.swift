import Foundation

/// Reads the stream of a relay with hiredis: each record once, in order, and what is missing.
///
///     stream-reader SOCKET STREAM
@main struct StreamReader {
    /// An idle relay writes a record every 15 s.
    static let silence = 30

    /// Keep both with your results, and a restart continues behind them.
    var place = "0"
    var last = (epoch: UInt64(0), sequence: UInt64(0))

    static func main() throws {
        let words = CommandLine.arguments
        var reader = StreamReader()
        let redis = try Redis(socket: words[1])
        while true {
            let entries = try redis.read(words[2], after: reader.place, seconds: silence)
            if entries.isEmpty { print("alarm: no record for \(silence) s: the relay has ended or cannot write") }
            for entry in entries { reader.process(entry.fields, at: entry.id) }
            fflush(nil)
        }
    }

    mutating func process(_ record: [String: String], at id: String) {
        place = id
        let numbers = (record["id"] ?? "").split(separator: ".").compactMap { UInt64($0) }
        guard numbers.count == 2, (numbers[0], numbers[1]) > last else { return }  // a repeat
        let expected = numbers[0] == last.epoch ? last.sequence + 1 : 1
        if numbers[1] > expected, last != (0, 0), record["type"] != "genesys.gap" {
            print("refresh: the stream was trimmed before these records were read")
        }
        last = (numbers[0], numbers[1])
        switch record["type"] {
        case "genesys.notification": print("notification:", record["topic"] ?? "", record["data"] ?? "")
        case "genesys.gap": print("refresh: read the state over REST, because", record["data"] ?? "")
        default: break
        }
    }
}
