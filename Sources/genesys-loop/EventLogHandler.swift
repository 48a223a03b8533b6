import Logging

/// Sends the library's log messages to the event log.
struct EventLogHandler: LogHandler {
    let log: EventLog
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(log: EventLog, logLevel: Logger.Level) {
        self.log = log
        self.logLevel = logLevel
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var message = "\(event.message)"
        if let error = event.error { message += " (\(error))" }
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { message += " \(key)=\(value)" }
        log.write(.log(event.level, message))
    }

    /// A logger that writes messages of at least `level` to `log`.
    static func logger(_ log: EventLog, _ level: Logger.Level) -> Logger {
        Logger(label: "genesys-loop") { _ in EventLogHandler(log: log, logLevel: level) }
    }
}
