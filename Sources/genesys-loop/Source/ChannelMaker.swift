import ArgumentParser
import GenesysLoop
import GenesysPlatform
import Logging

/// Makes the channel of a command.
struct ChannelMaker {
    private let source: ChannelSource
    private let topics: [Topic]
    private let configuration: ChannelConfiguration
    private let log: EventLog
    private let loop: UVLoop
    /// For an account.
    private let platform: Platform?

    /// - Throws: a `ValidationError` for a source that cannot be used.
    init(
        _ source: ChannelSource, _ topics: [Topic], _ configuration: ChannelConfiguration, log: EventLog,
        on loop: UVLoop, host: any ChannelHost, tokens: TokenSupply?
    ) throws {
        self.source = source
        self.topics = topics
        self.configuration = configuration
        self.log = log
        self.loop = loop
        platform = try Self.attempt(log) { () throws(ChannelFailure) in
            guard case .account(let account) = source else { return nil }
            return try account.platform(on: loop, host, configuration, tokens)
        }
    }

    /// A channel.
    ///
    /// - Parameter total: how long the first connection may take, in place of what is configured.
    /// - Throws: a `ValidationError` for a source, a topic, a file, or a proxy of the environment that cannot be used.
    func make(_ host: any ChannelHost, total: Duration? = nil) throws -> any SourceChannel {
        var configuration = self.configuration
        if let total, case .backoff(var backoff) = configuration.reconnect {
            backoff.initialTotal = total
            configuration.reconnect = .backoff(backoff)
        }
        return try Self.attempt(log) { () throws(ChannelFailure) in try channel(host, configuration) }
    }

    /// Makes a channel and drops it, to see whether that can be done.
    func check(_ host: any ChannelHost) throws {
        var configuration = self.configuration
        // It would warn about a channel that was never opened.
        configuration.logger = Logger(label: "genesys-loop") { _ in SwiftLogNoOpLogHandler() }
        _ = try Self.attempt(log) { () throws(ChannelFailure) in try channel(host, configuration) }
    }

    private func channel(
        _ host: any ChannelHost, _ configuration: ChannelConfiguration
    ) throws(ChannelFailure) -> any SourceChannel {
        switch (source, platform) {
        case (.uri(let channel), _):
            return try NotificationChannel(
                uri: channel.text, topics: topics, on: loop, delegate: host, configuration: configuration)
        case (.account, let platform?):
            guard topics.count > Topic.maxCount else {
                return try ProvisionedChannel(
                    topics: topics, on: platform, delegate: host, configuration: configuration)
            }
            return try ChannelGroup(
                topics: topics, on: platform, delegate: host, configuration: configuration,
                keepsSparePlace: try ShardNeeds(topics).leavesSparePlace)
        case (.account, nil):
            preconditionFailure("an account has a platform")
        }
    }

    /// Says what a move will cost, if the topics need every channel of the OAuth client.
    func warnAboutMoves() {
        guard platform != nil, topics.count > Topic.maxCount, let needs = try? ShardNeeds(topics),
            !needs.leavesSparePlace
        else { return }
        log.write(
            .log(
                .warning,
                "\(topics.count) topics need all \(needs.shardCount) channels of the OAuth client: without a "
                    + "spare one, each move to a fresh channel costs a gap."))
    }

    /// Says who can read a channel without encryption.
    func warnAboutPlainText() {
        guard case .uri(let channel) = source, !channel.endpoint.isSecure, !channel.endpoint.isLoopback else { return }
        configuration.logger.warning(
            "ws:// is not encrypted: everybody on the way can read the channel's URI and its notifications.")
    }

    private static func attempt<Value>(
        _ log: EventLog, _ body: () throws(ChannelFailure) -> Value
    ) throws -> Value {
        do throws(ChannelFailure) {
            return try body()
        } catch {
            // Nothing was sent yet: the error is in the source, a topic, a file, or a proxy of the environment.
            guard error.reason != .ambiguous else { throw Startup.refuse(error, log) }
            throw ValidationError(error.optionSentence)
        }
    }
}
