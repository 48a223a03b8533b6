import ArgumentParser
import GenesysLoop
import GenesysPlatform
import Logging
import ToolSupport

/// The options of `doctor`, read and checked; an error in them is a check, too.
struct DoctorPlan {
    /// An option cannot be used.
    struct Unusable: Error {
        /// The checks up to that of the option.
        let checks: [Check]
    }

    let source: ChannelSource
    let topics: [Topic]
    let configuration: ChannelConfiguration
    /// Whether to end after TLS.
    let stopsEarly: Bool
    private let checks: [Check]

    /// How long a client that does not answer the Close frame is waited for.
    private static let closeTime: Duration = .seconds(2)

    /// - Throws: `Unusable`, or the exit code of a system without resources.
    init(_ options: DoctorOptions, log: EventLog) throws {
        let logger = EventLogHandler.logger(log, .critical)
        var files = OptionFiles(log: log)
        var done: [Check] = []
        func attempt<T>(_ name: Check.Name, _ body: () throws -> T) throws -> T {
            do {
                return try body()
            } catch let error as ValidationError {
                throw Unusable(checks: done + [DoctorPlan.failure(name, error.message)])
            }
        }
        source = try attempt(.source) { try options.source.source(files) }
        done.append(DoctorPlan.check(source, of: options.source))
        let source = source
        topics = try attempt(.options) { try options.topics.topics(for: source, &files) }
        var connection = ConnectionPlan(source, logger: logger)
        connection.readLimits(options.connection)
        try attempt(.trust) { try connection.readTLS(options.connection, &files) }
        try attempt(.proxy) { try connection.readProxy(options.connection, &files) }
        connection.configuration.reconnect = .never
        connection.configuration.deadlines = DoctorPlan.deadlines(options.connection.firstConnectionLimit)
        configuration = connection.configuration
        stopsEarly = options.noConnect
        checks = done
    }

    /// Makes a channel, which reads what the configuration names.
    func channel(
        _ uri: String, topics: [Topic], on loop: UVLoop, delegate: Examination
    ) throws -> NotificationChannel {
        try attempt { () throws(ChannelFailure) in
            try NotificationChannel(
                uri: uri, topics: topics, on: loop, delegate: delegate, configuration: configuration)
        }
    }

    /// Makes the REST side of the account, which reads what the configuration names.
    func platform(of account: Account, on loop: UVLoop, _ tokens: TokenSupply?) throws -> Platform {
        try attempt { () throws(ChannelFailure) in try account.platform(on: loop, nil, configuration, tokens) }
    }

    private func attempt<T>(_ body: () throws(ChannelFailure) -> T) throws -> T {
        do throws(ChannelFailure) {
            return try body()
        } catch {
            let name: Check.Name =
                switch error.reason {
                case .tlsHandshake: .trust
                case .proxy: .proxy
                default: .options
                }
            throw Unusable(checks: checks + [DoctorPlan.failure(name, error.optionSentence)])
        }
    }

    // MARK: - Checks

    /// The checks before the connection.
    var openingChecks: [Check] {
        switch source {
        case .uri where !stopsEarly: [DoctorPlan.takeover] + checks
        case .uri, .account: checks
        }
    }

    private static let takeover = Check.warning(
        .takeover, "Connecting takes the channel from a client that has it.",
        advice: "Use --no-connect to end after TLS, or examine a channel of its own.")

    private static func failure(_ name: Check.Name, _ sentence: String) -> Check {
        .failure(
            name, Check.sentence(sentence), advice: "Correct that option, file or variable; --help lists the options.")
    }

    private static func check(_ source: ChannelSource, of options: SourceOptions) -> Check {
        switch source {
        case .uri(let channel): check(channel.endpoint, of: options)
        case .account(let account): AccountChecks.source(account, options)
        }
    }

    private static func check(_ endpoint: WebSocketURI, of options: SourceOptions) -> Check {
        let origin = options.uri != nil ? "--uri" : options.uriFile != nil ? "--uri-file" : SourceVariable.uri.rawValue
        let detail = "The URI of \(origin) is \(endpoint.redacted)"
        guard !endpoint.isSecure, !endpoint.isLoopback else { return .ok(.source, after: .zero, detail + ".") }
        return .warning(
            .source, "\(detail), without encryption.",
            advice: "Use wss://: everybody on the way can read the channel's URI and its notifications.")
    }

    /// Those of `listen`, and for each step at most the limit of the first connection.
    private static func deadlines(_ limit: Limit?) -> Deadlines {
        var deadlines = Deadlines()
        deadlines.close = closeTime
        guard let limit = limit?.seconds?.duration else { return deadlines }
        for step in [\Deadlines.dns, \.connect, \.proxy, \.tls, \.upgrade, \.subscribe] {
            deadlines[keyPath: step] = min(deadlines[keyPath: step], limit)
        }
        return deadlines
    }
}
