import Foundation
import GenesysLoop

@testable import GenesysRelay

/// Judges a run by the engine's stream and the source's ledger alone.
///
/// Each notification that was delivered is in the stream once, in order, or a gap record at its place in the stream has
/// its time. Sequences are contiguous in an epoch, except before a gap record that names the numbers. Epochs rise, and
/// each begins with its epoch record.
struct RelayAudit {
    private struct Record {
        let entry: ModelEngine.Entry
        var number: Int?
        var from: String = ""
        var to: String = ""
        var reason: String = ""
        var epoch: UInt64?
        var sequences: [UInt64]?
    }

    private(set) var violation: String?

    init(_ world: RelayWorld) {
        let records = world.engine.entries.map(RelayAudit.read)
        checkNumbers(records)
        checkGaps(records, world)
        checkNotifications(records, world)
    }

    private mutating func fail(_ text: String) { violation = violation ?? text }

    private static func read(_ entry: ModelEngine.Entry) -> Record {
        var record = Record(entry: entry)
        func text(_ name: String) -> String? {
            guard let start = entry.data.range(of: "\"\(name)\":\"")?.upperBound else { return nil }
            return entry.data[start...].firstIndex(of: "\"").map { String(entry.data[start..<$0]) }
        }
        func digits(_ name: String) -> UInt64? {
            guard let start = entry.data.range(of: "\"\(name)\":")?.upperBound else { return nil }
            return UInt64(entry.data[start...].prefix { $0.isNumber })
        }
        switch entry.type {
        case "genesys.notification": record.number = digits("n").map(Int.init)
        case "genesys.gap":
            record.from = text("from") ?? ""
            record.to = text("to") ?? ""
            record.reason = text("reason") ?? ""
            record.epoch = digits("epoch")
            if let start = entry.data.range(of: "\"sequences\":[")?.upperBound {
                record.sequences = entry.data[start...].prefix { $0 != "]" }.split(separator: ",").compactMap {
                    UInt64($0)
                }
            }
        default: break
        }
        return record
    }

    private mutating func checkNumbers(_ records: [Record]) {
        var last: RecordID?
        for record in records {
            let id = record.entry.id
            if id.epoch != last?.epoch {
                if let last, last.epoch > id.epoch { fail("epoch \(id.epoch) after \(last.epoch)") }
                if id.sequence != 1 || record.entry.type != "genesys.epoch" { fail("an epoch begins with \(id)") }
            } else if let last, id.sequence != last.sequence + 1 {
                if record.sequences ?? [] != [last.sequence + 1, id.sequence - 1] || record.epoch != nil {
                    fail("a jump from \(last) to \(id), and no gap record has these numbers")
                }
            }
            last = id
        }
    }

    private mutating func checkGaps(_ records: [Record], _ world: RelayWorld) {
        for record in records where record.entry.type == "genesys.gap" {
            if record.from > record.to { fail("a gap from \(record.from) to \(record.to)") }
            switch record.reason {
            case "engineLost":
                guard let epoch = record.epoch, let range = record.sequences, range.count == 2 else {
                    fail("a gap without numbers: \(record.entry.data)")
                    continue
                }
                let lost = world.engine.lost[epoch]
                if lost.map({ $0.lowerBound > range[0] || $0.upperBound < range[1] }) ?? true {
                    fail("\(range) of \(epoch) were not lost")
                }
            case "overflow", "refused":
                if record.sequences == nil { fail("a gap without numbers: \(record.entry.data)") }
            case "crash", "startup":
                if world.programs.count < 2 { fail("\(record.reason) in the first run") }
            default: break
            }
        }
    }

    private mutating func checkNotifications(_ records: [Record], _ world: RelayWorld) {
        var place = 0
        var gaps: [Record] = []
        for publication in world.ledger {
            // The gap records between the notification before and the next one that is stored.
            var next = place
            gaps = []
            while next < records.count, records[next].number == nil {
                if records[next].entry.type == "genesys.gap" { gaps.append(records[next]) }
                next += 1
            }
            if next < records.count, let number = records[next].number, number == publication.number {
                place = next + 1
                if !publication.isDelivered { fail("\(number) is stored and was not delivered") }
                continue
            }
            if next < records.count, let number = records[next].number, number < publication.number {
                return fail("\(number) is stored once more, or too late")
            }
            let time = publication.time.microsecondText
            if !gaps.contains(where: { $0.from <= time && time <= $0.to }) {
                fail("\(publication.number), received at \(time), is lost, and no gap record says so")
            }
        }
        if records[place...].contains(where: { $0.number != nil }) { fail("a notification is stored once more") }
    }
}
