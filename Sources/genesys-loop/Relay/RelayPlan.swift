import ArgumentParser
import GenesysLoop
import GenesysRelay
import Logging
import ToolSupport

/// The options of `relay`, read and checked. An error in them is a `ValidationError`.
struct RelayPlan {
    let name: String
    let target: RelayTarget
    let relay: RelayConfiguration
    let source: ChannelSource
    let topics: [Topic]
    /// That of the channel.
    let configuration: ChannelConfiguration
    /// How long the engine and the channel may take together; nil for no limit.
    let firstConnectionLimit: Duration?
    let metricsAddress: MetricsAddress?
    let log: EventLog
    let tlsFiles: RereadableFiles

    /// Shorter than the library's: the relay ends within 10 s after a signal.
    private static let closeLimit: Duration = .seconds(3)
    private static let firstConnectionLimit: Duration = .seconds(60)

    init(_ options: RelayOptions) throws {
        log = EventLog(style: options.events ? .json : .sentences)
        name = options.name
        (target, metricsAddress) = (try RelayPlan.target(options), try RelayPlan.address(options))
        var files = OptionFiles(log: log, level: options.level)
        let logger = EventLogHandler.logger(log, options.level)
        let connection = try ConnectionPlan(options.source, options.connection, &files, logger: logger)
        source = connection.source
        topics = try options.topics.topics(for: source, &files)
        let limit = options.connection.firstConnectionLimit
        firstConnectionLimit = limit.map { $0.seconds?.duration } ?? RelayPlan.firstConnectionLimit
        relay = try RelayPlan.relay(options, &files, limit: firstConnectionLimit)
        tlsFiles = files.tls
        var configuration = connection.configuration
        configuration.deadlines.close = RelayPlan.closeLimit
        if case .backoff(var backoff) = configuration.reconnect, let outage = options.outageLimit {
            backoff.outageTotal = outage.seconds?.duration
            configuration.reconnect = .backoff(backoff)
        }
        self.configuration = configuration
    }

    private static func target(_ options: RelayOptions) throws -> RelayTarget {
        do throws(RelayError) {
            try Relay.check(name: options.name)
        } catch {
            throw ValidationError("--name: \(error)")
        }
        do throws(RelayError) {
            let target = try RelayTarget(options.to)
            try target.checkFile()
            return target
        } catch {
            throw ValidationError("--to: \(error)")
        }
    }

    private static func deadLetter(_ options: RelayOptions) throws -> String? {
        do throws(RelayError) {
            if let path = options.deadLetter { try RelayTarget.file(path).checkFile() }
            return options.deadLetter
        } catch {
            throw ValidationError("--dead-letter: \(error)")
        }
    }

    private static func address(_ options: RelayOptions) throws -> MetricsAddress? {
        do throws(MetricsAddress.Invalid) {
            return try options.metricsListen.map { text throws(MetricsAddress.Invalid) in try MetricsAddress(text) }
        } catch {
            throw ValidationError(error.description)
        }
    }

    private static func relay(
        _ options: RelayOptions, _ files: inout OptionFiles, limit: Duration?
    ) throws -> RelayConfiguration {
        var relay = RelayConfiguration()
        relay.firstConnectionLimit = limit
        relay.stream = options.stream
        relay.overflow = options.overflow == .pause ? .pause : .dropOldest
        if let count = options.queueBytes { relay.queueBytes = count }
        if let limit = options.pauseLimit { relay.pauseLimit = limit.duration }
        if let count = options.batchBytes { relay.batchBytes = count }
        if let linger = options.linger { relay.linger = .milliseconds(linger) }
        if let lease = options.lease { relay.lease = lease.duration }
        relay.maxLength = options.maxLength
        relay.deadLetterFile = try deadLetter(options)
        relay.password = try password(options, files)
        if let path = options.engineCaFile { relay.tls.trust = try files.trust(path) }
        relay.tls.identity = try ClientKey.identity(
            certificate: options.engineCertificate, key: options.engineKey, &files)
        if options.engineCaFile != nil || relay.tls.identity != nil { try ConnectionPlan.check(relay.tls) }
        do throws(RelayError) {
            try relay.check()
        } catch {
            throw ValidationError(error.description)
        }
        return relay
    }

    /// An argument takes precedence over the environment, which no longer has the password then.
    private static func password(_ options: RelayOptions, _ files: OptionFiles) throws -> String? {
        let variable = Result { try Secret.taken(from: RelayOptions.passwordVariable) }
        let file = try options.passwordFile.map {
            try files.secret($0, "The file of the engine's password", of: "--password-file")
        }
        guard let secret = try file ?? variable.get() else { return nil }
        guard let text = String(validating: secret.bytes, as: UTF8.self) else {
            throw ValidationError("\(secret.source) is not UTF-8; it takes the password of the engine.")
        }
        return text
    }

    /// Says what is unsafe about the options.
    func warn() {
        guard target.hasPassword else { return }
        configuration.logger.warning(
            """
            --to: every user of the machine can read a password in an argument: give it with --password-file, or in the \
            environment's \(RelayOptions.passwordVariable).
            """)
    }
}
