import ArgumentParser
import GenesysLoop
import Logging
import ToolSupport

/// What `listen` is to do: the options, read and checked. Whatever is wrong with them is a `ValidationError`.
struct ListenPlan {
    let uri: String
    let endpoint: WebSocketURI
    let topics: [Topic]
    let configuration: ChannelConfiguration
    let count: Int?
    let duration: Duration?
    let log: EventLog

    /// A topics file larger than this is another file, given by mistake.
    private static let maxTopicsFileByteCount = 16 * 1024 * 1024

    init(_ options: ListenOptions) throws {
        do throws(InvalidURI) {
            endpoint = try WebSocketURI(options.uri)
        } catch {
            throw ValidationError(error.description)
        }
        uri = options.uri
        topics = try ListenPlan.topics(options)
        count = options.count
        duration = options.duration.map { .seconds($0) }
        log = EventLog(style: options.events ? .json : .terminal)
        configuration = try ListenPlan.configuration(options, log: log, isSecure: endpoint.isSecure)
    }

    private static func topics(_ options: ListenOptions) throws -> [Topic] {
        var topics = options.topics.map { Topic($0) }
        do throws(TopicList.Unusable) {
            if let path = options.topicsFile { topics += try TopicList.parse(try contents(of: path)) }
            return try TopicList.checked(topics)
        } catch {
            throw ValidationError(error.description)
        }
    }

    private static func contents(of path: String) throws(TopicList.Unusable) -> [UInt8] {
        do throws(SystemCalls.Failure) {
            return try SystemCalls.read(path, maxByteCount: maxTopicsFileByteCount)
        } catch {
            throw TopicList.Unusable(description: "The topics file \(path) cannot be read: \(error).")
        }
    }

    private static func configuration(
        _ options: ListenOptions, log: EventLog, isSecure: Bool
    ) throws -> ChannelConfiguration {
        var configuration = ChannelConfiguration()
        if let lifetime = options.lifetime { configuration.lifetime = .seconds(lifetime) }
        configuration.extendsLifetime = !options.noExtend
        switch options.reconnect {
        case .never: configuration.reconnect = .never
        case .once: configuration.reconnect = .once
        case .backoff: configuration.reconnect = .backoff(.init())
        }
        if let size = options.maxMessageSize { configuration.maxMessageSize = size }
        if let path = options.caFile { configuration.tls.trust = .file(path) }
        configuration.tls.identity = ClientKey.identity(certificate: options.clientCertificate, key: options.clientKey)
        if let alpn = options.alpn { configuration.tls.applicationProtocols = alpn.protocols }
        configuration.tls.pins = try pins(options.pins, isSecure: isSecure)
        // Without TLS the channel would never look at what is named.
        if !isSecure, options.caFile != nil || configuration.tls.identity != nil { try check(configuration.tls) }
        configuration.proxy = try proxy(options)
        if let path = options.proxyCaFile ?? options.caFile { configuration.proxyTLS.trust = .file(path) }
        if options.proxyCaFile != nil { try check(configuration.proxyTLS) }
        configuration.logger = EventLogHandler.logger(
            log, Logger.Level(rawValue: options.logLevel.rawValue) ?? .warning)
        return configuration
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

    /// `--proxy` wins over the environment, which `--no-proxy` leaves out.
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
