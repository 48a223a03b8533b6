import ArgumentParser
import GenesysLoop
import GenesysPlatform
import Logging
import ToolSupport

/// What a command connects to and how: its options, read and checked. An error in them is a `ValidationError`.
struct ConnectionPlan {
    let source: ChannelSource
    /// The configuration of a channel with these options and defaults elsewhere.
    var configuration = ChannelConfiguration()

    init(
        _ source: SourceOptions, _ options: ConnectionOptions, _ files: inout OptionFiles, logger: Logger
    ) throws {
        self.init(try source.source(files), logger: logger)
        readLimits(options)
        try readTLS(options, &files)
        try readProxy(options, &files)
    }

    /// A plan without options, which are read by the methods that follow.
    init(_ source: ChannelSource, logger: Logger) {
        self.source = source
        configuration.logger = logger
    }

    mutating func readLimits(_ options: ConnectionOptions) {
        if let size = options.maxMessageSize { configuration.maxMessageSize = size }
        if let limit = options.firstConnectionLimit {
            var backoff = ReconnectPolicy.Backoff()
            backoff.initialTotal = limit.seconds?.duration
            configuration.reconnect = .backoff(backoff)
        }
    }

    mutating func readTLS(_ options: ConnectionOptions, _ files: inout OptionFiles) throws {
        let isSecure = source.isSecure
        if let path = options.caFile { configuration.tls.trust = try files.trust(path) }
        configuration.tls.identity = try ClientKey.identity(
            certificate: options.clientCertificate, key: options.clientKey, &files)
        if let alpn = options.alpn { configuration.tls.applicationProtocols = alpn.protocols }
        configuration.tls.pins = try ConnectionPlan.pins(options.pins, isSecure: isSecure)
        // Without TLS the channel would never read these files.
        if !isSecure, options.caFile != nil || configuration.tls.identity != nil {
            try ConnectionPlan.check(configuration.tls)
        }
    }

    /// `--proxy` takes precedence over the environment, which `--no-proxy` ignores.
    mutating func readProxy(_ options: ConnectionOptions, _ files: inout OptionFiles) throws {
        let variable = Result { try Secret.taken(from: ConnectionOptions.proxyVariable) }
        let file = try options.proxyCredentialsFile.map {
            try files.secret($0, "The file of the proxy's credentials", of: "--proxy-credentials-file")
        }
        if let text = options.proxy {
            do throws(InvalidURI) {
                configuration.proxy = .url(try ProxyURI(text))
            } catch {
                throw ValidationError("--proxy: \(error.description)")
            }
        } else {
            configuration.proxy = options.noProxy ? .none : .environment
        }
        try useCredentials(file: file, variable: variable)
        try checkProxyVariable()
        if let path = options.proxyCaFile ?? options.caFile { configuration.proxyTLS.trust = try files.trust(path) }
        if options.proxyCaFile != nil { try ConnectionPlan.check(configuration.proxyTLS) }
    }

    /// Gives the user and the password to the proxy. The variable counts only where no argument has them.
    private mutating func useCredentials(file: Secret?, variable: Result<Secret?, any Error>) throws {
        switch configuration.proxy {
        case .none:
            break
        case .environment:
            configuration.environmentProxyCredentials = try (file ?? variable.get()).map(ConnectionPlan.credentials)
        case .url(let uri):
            guard let secret = try file ?? (uri.hasCredentials ? nil : variable.get()) else { return }
            let credentials = try ConnectionPlan.credentials(secret)
            do throws(InvalidURI) {
                configuration.proxy = .url(try uri.with(credentials))
            } catch {
                throw ValidationError("--proxy: \(error.description)")
            }
        }
    }

    /// The REST side looks for its proxy with each call; a variable that names none is wrong usage, as for a channel.
    private func checkProxyVariable() throws {
        guard case .account(let account) = source, case .environment = configuration.proxy else { return }
        let rules = ProxyRules(
            .environment, credentials: configuration.environmentProxyCredentials, environment: Environment.value)
        guard let target = try? WebSocketURI("\(source.isSecure ? "wss" : "ws")://\(account.region.api.authority)/")
        else { return }
        do throws(ProxyRules.InvalidVariable) {
            _ = try rules?.proxy(for: target)
        } catch {
            throw ValidationError(Check.sentence(error.clause))
        }
    }

    private static func credentials(_ secret: Secret) throws -> ProxyCredentials {
        guard let credentials = ProxyCredentials(secret.bytes) else {
            throw ValidationError("\(secret.source) takes user:password, without control characters.")
        }
        return credentials
    }

    private static func pins(_ texts: [String], isSecure: Bool) throws -> Set<PublicKeyPin> {
        guard isSecure || texts.isEmpty else {
            throw ValidationError("--pin needs a URI of wss://, or of https://: without TLS the server shows no key.")
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

    static func check(_ tls: TLSConfiguration) throws {
        do throws(TLSError) {
            _ = try TLSContext(client: tls)
        } catch {
            throw ValidationError(error.description)
        }
    }
}
