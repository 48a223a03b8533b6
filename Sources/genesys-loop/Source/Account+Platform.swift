import GenesysLoop
import GenesysPlatform

extension Account {
    /// Gives the tokens of the user; nil for an OAuth client.
    func supply(on loop: UVLoop, log: EventLog) -> TokenSupply? {
        switch credentials {
        case .client: nil
        case .token(let token): TokenSupply(token, on: loop, log: log)
        }
    }

    /// The REST side, with the TLS and the proxy of the channel.
    func platform(
        on loop: UVLoop, _ delegate: (any PlatformDelegate)?, _ channel: ChannelConfiguration, _ tokens: TokenSupply?
    ) throws(ChannelFailure) -> Platform {
        var configuration = PlatformConfiguration()
        configuration.tls = channel.tls
        configuration.proxy = channel.proxy
        configuration.environmentProxyCredentials = channel.environmentProxyCredentials
        configuration.logger = channel.logger
        configuration.tokenCache = tokenCache
        configuration.userAgent = "genesys-loop/\(GenesysLoopTool.version)"
        let credentials: PlatformCredentials =
            switch self.credentials {
            case .client(_, let credentials): credentials
            case .token: .tokens { request in tokens?.provide(request) }
            }
        let platform = try Platform(
            region: region, credentials: credentials, on: loop, delegate: delegate, configuration: configuration)
        tokens?.platform = platform
        return platform
    }
}

extension ChannelFailure {
    /// What is wrong with an option, in a sentence: what a channel, or its REST side, says before it opens.
    var optionSentence: String {
        switch phase {
        case .token, .provision: Check.sentence(clause)
        case .dns, .connect, .proxy, .tls, .upgrade, .subscribe, .open, .close: underlying?.text ?? description
        }
    }
}
