public import Logging

extension UVLoop {
    /// Reads once more all that the TLS configurations in use on this loop name: CA files and folders, the system's
    /// store, client certificates and keys, passphrases.
    ///
    /// Every connection made from now on uses what was read: the next reconnect or rollover of each channel, each new
    /// client. Connections that are open go on, and no later one resumes their TLS sessions. All or nothing: where
    /// anything cannot be used, nothing changes. The loop waits while it is read.
    ///
    /// Legal in every delegate callback.
    ///
    /// - Throws: `ChannelFailure` with reason `tlsHandshake`, whose description names the file and what is wrong.
    /// - Precondition: called on the loop's thread.
    public func reloadTLS() throws {
        preconditionCurrent("UVLoop.reloadTLS")
        do throws(TLSError) {
            var read: [(TLSContext, ClientMaterial)] = []
            for case let context as TLSContext in attachments.values {
                if let material = try context.reread() { read.append((context, material)) }
            }
            for (context, material) in read { context.commit(material) }
        } catch {
            throw ChannelFailure(tls: error, phase: .tls)
        }
    }

    /// One TLS context for each configuration on this loop.
    ///
    /// - Throws: why the configuration is unusable, in the linkOptions of a channel.
    func sharedContext(
        checking configuration: TLSConfiguration, logger: Logger
    ) throws(ChannelFailure) -> TLSContext {
        do throws(TLSError) {
            return try shared(configuration) { () throws(TLSError) in
                let context = try TLSContext(client: configuration)
                if let trust = context.trust { logger.info("TLS: \(trust)") }
                return context
            }
        } catch {
            throw ChannelFailure(tls: error, phase: .tls)
        }
    }
}

extension UVLoop {
    /// Which proxies links of a configuration go through; nil where there are none.
    ///
    /// - Throws: why TLS with a proxy cannot be had.
    func proxyRules(
        _ setting: ProxySetting, tls: TLSConfiguration, logger: Logger
    ) throws(ChannelFailure) -> ProxyRules? {
        guard var rules = ProxyRules(setting, environment: Environment.value) else { return nil }
        if rules.needsContext { rules.context = try sharedContext(checking: tls, logger: logger) }
        return rules
    }
}

extension TLSConfiguration {
    /// Reads everything that the configuration names, as the first channel with it does, and forgets it again.
    ///
    /// - Returns: whom it trusts, and where that was found.
    /// - Throws: `ChannelFailure` with reason `tlsHandshake`, whose description says what cannot be used; for an empty
    ///   system store it lists the places tried.
    public func check() throws -> TrustReport {
        do throws(TLSError) {
            return try ClientMaterial(self).trust
        } catch {
            throw ChannelFailure(tls: error, phase: .tls)
        }
    }
}

extension UVLoop {
    /// Where the loop warns of likely mistakes of its host, once for each kind.
    ///
    /// - A block was given to `execute(_:)` after `run()` had returned because nothing was open, or after
    ///   `detach(completion:)` took effect, or never ran before the loop was released.
    /// - When `run()` returns, or `detach(completion:)` takes effect: channels and clients ended without a delegate, or
    ///   were made and never opened. Each of them has told its own logger too.
    ///
    /// Default: a logger of swift-log with the label `genesys-loop`, which writes to standard error unless the program
    /// has set up another log. May be used on any thread.
    public var logger: Logger {
        get { warnings.logger }
        set { warnings.logger = newValue }
    }
}
