import Foundation
import Testing
import ToolSupport

/// What a relay wrote: objects with the members of a record.
struct RelayStream {
    struct Record {
        let epoch: UInt64
        let sequence: UInt64
        let type: String
        let topic: String
        let source: String
        let data: [String: Any]
    }

    let records: [Record]

    /// Reads lines of JSON.
    init(_ text: String) throws {
        records = try text.split(separator: "\n").map { line in
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
            return try Record(object)
        }
    }

    /// Reads the fields and values of entries, a JSON array a line.
    init(entries text: String) throws {
        records = try text.split(separator: "\n").map { line in
            let words = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String], "\(line)")
            var object: [String: Any] = [:]
            for place in stride(from: 0, to: words.count, by: 2) { object[words[place]] = words[place + 1] }
            object["data"] = try JSONSerialization.jsonObject(with: Data((object["data"] as? String ?? "").utf8))
            return try Record(object)
        }
    }

    init(_ file: URL) throws {
        try self.init(String(decoding: SystemCalls.read(file.path, maxByteCount: 1 << 26), as: UTF8.self))
    }

    /// Waits until a file has this many notifications; the last line may have no end yet, so they are only counted.
    static func wait(for count: Int, in file: URL) async {
        let marker = Data("\"genesys.notification\"".utf8)
        while true {
            let bytes = (try? Data(contentsOf: file)) ?? Data()
            var found = 0
            var rest = bytes.startIndex..<bytes.endIndex
            while let next = bytes.range(of: marker, in: rest) {
                found += 1
                rest = next.upperBound..<bytes.endIndex
            }
            if found >= count { return }
            await Task.yield()
        }
    }

    var types: [String] { records.map(\.type) }

    /// The numbers that `OwnService.publish` sent.
    var numbers: [Int] { records.compactMap { $0.type == "notification" ? $0.data["eventBody"] as? Int : nil } }

    /// Whether each number of an epoch is that of a record, or stands in the gap record behind it.
    var isWhole: Bool {
        var last: (epoch: UInt64, sequence: UInt64) = (0, 0)
        for record in records {
            if record.epoch != last.epoch { last = (record.epoch, 0) }
            if record.sequence != last.sequence + 1 {
                let skipped = record.data["sequences"] as? [UInt64]
                guard record.type == "gap", skipped == [last.sequence + 1, record.sequence - 1] else { return false }
            }
            last.sequence = record.sequence
        }
        return true
    }
}

extension RelayStream.Record {
    init(_ object: [String: Any]) throws {
        let id = try #require((object["id"] as? String)?.split(separator: "."))
        #expect(id.count == 2 && id[1].count == 20)
        epoch = try #require(UInt64(id[0]))
        sequence = try #require(UInt64(id[1]))
        type = try #require((object["type"] as? String)?.replacing("genesys.", with: ""))
        topic = try #require(object["topic"] as? String)
        source = try #require(object["source"] as? String)
        data = try #require(object["data"] as? [String: Any])
        let time = try #require(object["time"] as? String)
        #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/) != nil)
    }
}

extension OwnService {
    /// Starts a relay of the name `test`; events go to its standard error as JSON.
    func relay(to target: String, _ more: [String] = [], variables: [String: String] = [:]) throws -> Child {
        try Child.tool(
            ["relay", "--uri", uri, "--topic", "v2.a", "--to", target, "--name", "test", "--events"] + more,
            variables: variables)
    }
}

extension Child.End {
    /// The names of the events, without those of the log.
    var plot: [String] {
        get throws { try Tool.events(errors).compactMap { $0["event"] as? String }.filter { $0 != "log" } }
    }
}
