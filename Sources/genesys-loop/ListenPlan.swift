import ArgumentParser
import GenesysLoop
import ToolSupport

/// The options of `listen`, read and checked. An error in them is a `ValidationError`.
struct ListenPlan {
    let source: ChannelSource
    let topics: [Topic]
    let configuration: ChannelConfiguration
    let count: Int?
    let duration: Duration?
    /// Where the metrics are served; nil for nowhere.
    let metricsAddress: MetricsAddress?
    let log: EventLog
    /// Whether to draw a status line.
    let hasProgress: Bool
    /// The file to write to; nil for standard output.
    let output: String?
    let tlsFiles: RereadableFiles

    /// Shorter than the library's: after a signal the tool ends within 4 s, although the service does not answer.
    private static let closeLimit: Duration = .seconds(3)

    init(_ options: ListenOptions) throws {
        count = options.count
        duration = options.duration?.duration
        do throws(MetricsAddress.Invalid) {
            metricsAddress = try options.metricsListen.map { text throws(MetricsAddress.Invalid) in
                try MetricsAddress(text)
            }
        } catch {
            throw ValidationError(error.description)
        }
        output = options.output == "-" ? nil : options.output
        hasProgress = !options.events && ProgressLine.isWanted(options.progress, hasFile: output != nil)
        log = EventLog(style: options.events ? .json : .sentences)
        var files = OptionFiles(log: log, level: options.level)
        let logger = EventLogHandler.logger(log, options.level)
        let connection = try ConnectionPlan(options.source, options.connection, &files, logger: logger)
        source = connection.source
        topics = try options.topics.topics(for: source, &files)
        tlsFiles = files.tls
        configuration = ListenPlan.configuration(options, connection.configuration)
    }

    private static func configuration(
        _ options: ListenOptions, _ connection: ChannelConfiguration
    ) -> ChannelConfiguration {
        var configuration = connection
        configuration.deadlines.close = closeLimit
        if let lifetime = options.lifetime { configuration.lifetime = lifetime.duration }
        configuration.extendsLifetime = !options.noExtend
        switch (options.reconnect, connection.reconnect) {
        case (.never, _): configuration.reconnect = .never
        case (.once, _): configuration.reconnect = .once
        case (.backoff, .backoff(var backoff)):
            if let limit = options.outageLimit { backoff.outageTotal = limit.seconds?.duration }
            configuration.reconnect = .backoff(backoff)
        case (.backoff, _): break
        }
        return configuration
    }
}
