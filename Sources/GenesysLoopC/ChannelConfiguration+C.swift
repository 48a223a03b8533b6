internal import CGenesysLoop
internal import GenesysLoop

extension ChannelConfiguration {
    /// Makes a configuration from the C program's struct: zeros, or NULL for the struct, mean the defaults.
    init(_ pointer: UnsafePointer<genesys_channel_config>?) throws {
        self.init()
        guard let pointer = unsafe pointer else { return }
        let zero = unsafe genesys_channel_config()
        // The program's struct and strings, valid during the call.
        let config = unsafe try SizedStruct.copy(pointer, zero: zero, "genesys_channel_config")
        if let file = unsafe CStrings.copy(config.ca_file) { tls.trust = .file(file) }
        try unsafe setIdentity(
            certificate: CStrings.copy(config.client_certificate), key: CStrings.copy(config.client_key),
            passphrase: CStrings.copy(config.client_key_passphrase))
        if let proxy = unsafe CStrings.copy(config.proxy) {
            do {
                self.proxy = proxy == "environment" ? .environment : .url(try ProxyURI(proxy))
            } catch {
                throw CallError(status: GENESYS_ERROR_PROXY, sentence: "\(error)")
            }
        }
        if let name = unsafe CStrings.copy(config.alpn) { tls.applicationProtocols = name.isEmpty ? [] : [name] }
        switch unsafe config.reconnect {
        case GENESYS_RECONNECT_BACKOFF: break
        case GENESYS_RECONNECT_NEVER: reconnect = .never
        case GENESYS_RECONNECT_ONCE: reconnect = .once
        default: throw CallError.argument("there is no such reconnect policy")
        }
        if unsafe config.manual_rollover != 0 { rollover = .manual }
        if unsafe config.yields_to_takeover != 0 { takeover = .yield }
        if unsafe config.no_extension != 0 { extendsLifetime = false }
        if let limit = try unsafe Self.duration(config.lifetime, "lifetime") { lifetime = limit }
        if let limit = try unsafe Self.duration(config.heartbeat_timeout, "heartbeat_timeout") {
            heartbeatTimeout = limit
        }
        if unsafe config.max_message_size > 0 { unsafe maxMessageSize = Int(clamping: config.max_message_size) }
    }

    private mutating func setIdentity(certificate: String?, key: String?, passphrase: String?) throws {
        guard let certificate, let key else {
            guard certificate == nil, key == nil else {
                throw CallError.argument("client_certificate and client_key go together")
            }
            return
        }
        tls.identity = ClientIdentity(
            certificate: .file(certificate), key: .file(key), passphrase: passphrase.map { PrivateKeyPassphrase($0) })
    }

    /// Nil for 0.
    private static func duration(_ seconds: Double, _ name: String) throws -> Duration? {
        guard seconds != 0 else { return nil }
        guard seconds > 0, seconds <= 31_557_600_000 else {
            throw CallError.argument("\(name) is \(seconds); it is a number of seconds greater than 0")
        }
        return .seconds(seconds)
    }
}
