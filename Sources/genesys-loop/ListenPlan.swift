import ArgumentParser
import GenesysLoop
import Logging
import ToolSupport

/// The options of `listen`, read and checked. An error in them is a `ValidationError`.
struct ListenPlan {
    let uri: String
    let endpoint: WebSocketURI
    let topics: [Topic]
    let configuration: ChannelConfiguration
    let count: Int?
    let duration: Duration?
    let log: EventLog

    init(_ options: ListenOptions) throws {
        do throws(InvalidURI) {
            endpoint = try WebSocketURI(options.uri)
        } catch {
            throw ValidationError(error.description)
        }
        uri = options.uri
        count = options.count
        duration = options.duration?.duration
        log = EventLog(style: options.events ? .json : .terminal)
        var files = OptionFiles(log: log)
        topics = try ListenPlan.topics(options, &files)
        configuration = try ListenPlan.configuration(options, &files, log: log, isSecure: endpoint.isSecure)
    }

    private static func topics(_ options: ListenOptions, _ files: inout OptionFiles) throws -> [Topic] {
        let text = try options.topicsFile.map { try files.topics($0) }
        do throws(TopicList.Unusable) {
            var topics = options.topics.map { Topic($0) }
            if let text { topics += try TopicList.parse(text) }
            return try TopicList.checked(topics)
        } catch {
            throw ValidationError(error.description)
        }
    }

    private static func configuration(
        _ options: ListenOptions, _ files: inout OptionFiles, log: EventLog, isSecure: Bool
    ) throws -> ChannelConfiguration {
        var configuration = ChannelConfiguration()
        if let lifetime = options.lifetime { configuration.lifetime = lifetime.duration }
        configuration.extendsLifetime = !options.noExtend
        configuration.reconnect = reconnect(options)
        if let size = options.maxMessageSize { configuration.maxMessageSize = size }
        if let path = options.caFile { configuration.tls.trust = try files.trust(path) }
        configuration.tls.identity = try ClientKey.identity(
            certificate: options.clientCertificate, key: options.clientKey, &files)
        if let alpn = options.alpn { configuration.tls.applicationProtocols = alpn.protocols }
        configuration.tls.pins = try pins(options.pins, isSecure: isSecure)
        // Without TLS the channel would never read these files.
        if !isSecure, options.caFile != nil || configuration.tls.identity != nil { try check(configuration.tls) }
        configuration.proxy = try proxy(options)
        if let path = options.proxyCaFile ?? options.caFile { configuration.proxyTLS.trust = try files.trust(path) }
        if options.proxyCaFile != nil { try check(configuration.proxyTLS) }
        configuration.logger = EventLogHandler.logger(
            log, Logger.Level(rawValue: options.logLevel.rawValue) ?? .warning)
        return configuration
    }

    private static func reconnect(_ options: ListenOptions) -> ReconnectPolicy {
        switch options.reconnect {
        case .never: return .never
        case .once: return .once
        case .backoff:
            var backoff = ReconnectPolicy.Backoff()
            if let limit = options.firstConnectionLimit { backoff.initialTotal = limit.seconds?.duration }
            if let limit = options.outageLimit { backoff.outageTotal = limit.seconds?.duration }
            return .backoff(backoff)
        }
    }

    private static func pins(_ texts: [String], isSecure: Bool) throws -> Set<PublicKeyPin> {
        guard isSecure || texts.isEmpty else {
            throw ValidationError("--pin needs a URI of wss://: without TLS the server shows no key.")
        }
        return try Set(
            texts.map { text in
                guard let pin = PublicKeyPin(text) else {
                    throw ValidationError(
                        "--pin takes sha256/ and the SHA-256 digest of a public key in Base64, of 44 characters.")
                }
                return pin
            })
    }

    /// `--proxy` takes precedence over the environment, which `--no-proxy` ignores.
    private static func proxy(_ options: ListenOptions) throws -> ProxySetting {
        guard let uri = options.proxy else { return options.noProxy ? .none : .environment }
        do {
            return .url(try ProxyURI(uri))
        } catch {
            throw ValidationError("--proxy: \(error)")
        }
    }

    private static func check(_ tls: TLSConfiguration) throws {
        do throws(TLSError) {
            _ = try TLSContext(client: tls)
        } catch {
            throw ValidationError(error.description)
        }
    }
}
