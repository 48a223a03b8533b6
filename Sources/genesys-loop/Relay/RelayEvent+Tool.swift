import GenesysLoop
import GenesysRelay
import Logging

/// The events of a relay, as `--events` writes them and as sentences.
extension RelayEvent {
    /// The name, as in `--events`.
    var name: String {
        switch self {
        case .engineConnected: "engineConnected"
        case .engineLost: "engineLost"
        case .engineUnavailable: "engineUnavailable"
        case .waitingForLease: "waitingForLease"
        case .overflow: "overflow"
        case .dropped: "dropped"
        case .refused: "refused"
        case .deadLetterFailed: "deadLetterFailed"
        case .leading: "leading"
        case .fenced: "fenced"
        case .engineRolledBack: "engineRolledBack"
        case .drained: "drained"
        }
    }

    var sentence: String {
        switch self {
        case .engineConnected(let engine):
            "the engine is connected: \(engine.version), durability \(engine.durability), "
                + (engine.lastStored.map { "last stored \($0)" } ?? "nothing stored yet")
        case .engineLost(let reason): "the engine is lost: \(reason)"
        case .engineUnavailable(let reason): "the engine stores nothing for now, and is tried again: \(reason)"
        case .waitingForLease(let owner, let limit):
            "another relay with this name, “\(owner)”, holds the lease of the stream; it is watched for "
                + "\(LifecycleEvent.text(limit)), and taken if it is not renewed"
        case .overflow: "the queue is full"
        case .dropped(let sequences):
            "\(sequences.count) \(sequences.count == 1 ? "record was" : "records were") dropped: \(sequences.words)"
        case .refused(let sequence, let reason): "the engine refused record \(sequence) for good: \(reason)"
        case .deadLetterFailed(let reason): "the file of dead letters cannot be written: \(reason)"
        case .leading(let epoch): "writing the stream, epoch \(epoch)"
        case .fenced: "another relay writes the stream"
        case .engineRolledBack(_, let sequences):
            "the engine lost \(sequences.count) \(sequences.count == 1 ? "record" : "records") that it had stored: "
                + sequences.words
        case .drained: "everything is stored"
        }
    }

    /// The level of the message of the log that stands for it; nil for an event of its own.
    var logLevel: Logger.Level? {
        switch self {
        case .deadLetterFailed: .error
        case .engineUnavailable: .warning
        case .waitingForLease: .notice
        default: nil
        }
    }

    var weight: LifecycleEvent.Weight {
        switch self {
        case .engineConnected, .leading, .drained, .waitingForLease: .news
        case .engineLost, .engineUnavailable, .overflow, .dropped, .refused, .engineRolledBack: .warning
        case .deadLetterFailed, .fenced: .error
        }
    }
}

extension ClosedRange<UInt64> {
    fileprivate var words: String { lowerBound == upperBound ? "\(lowerBound)" : "\(lowerBound) to \(upperBound)" }
    fileprivate var json: String { "[\(lowerBound),\(upperBound)]" }
}

extension JSONObject {
    /// Adds what an event of a relay tells.
    mutating func add(_ event: RelayEvent) {
        switch event {
        case .engineConnected(let engine):
            add("version", engine.version)
            add("durability", engine.durability)
            add("lastStored", engine.lastStored)
        case .engineLost(let reason), .deadLetterFailed(let reason), .engineUnavailable(let reason):
            add("reason", reason)
        case .dropped(let sequences), .engineRolledBack(_, let sequences): add("sequences", json: sequences.json.utf8)
        case .refused(let sequence, let reason):
            add("sequence", json: "\(sequence)".utf8)
            add("reason", reason)
        case .leading(let epoch): add("epoch", json: "\(epoch)".utf8)
        case .waitingForLease, .overflow, .fenced, .drained: break
        }
    }

    /// Adds the numbers of a relay as an object; times are in seconds, unknown values are left out.
    mutating func add(_ name: String, _ statistics: RelayStatistics) {
        var object = JSONObject()
        for (name, value) in Mirror(reflecting: statistics).children {
            guard let name else { continue }
            switch value {
            case let count as Int: object.add(name, count)
            case let number as UInt64: object.add(name, json: "\(number)".utf8)
            case let duration as Duration: object.add(name, seconds: duration)
            default: break
            }
        }
        add(name, json: object.finished())
    }
}
