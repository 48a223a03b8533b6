public import Logging

extension UVLoop {
    /// Reads again all files that the TLS configurations in use on this loop name: CA files and folders, the system's
    /// store, client certificates and keys, passphrases.
    ///
    /// Every later connection uses the new contents: the next reconnect or rollover of each channel, each new client.
    /// Open connections continue, and no later connection resumes their TLS sessions. All or nothing: if any file
    /// cannot be used, nothing changes. The loop is blocked during the read.
    ///
    /// Legal in every delegate callback.
    ///
    /// - Throws: `ChannelFailure` with reason `tlsHandshake`, whose description names the file and the error.
    /// - Precondition: called on the loop's thread.
    public func reloadTLS() throws(ChannelFailure) {
        preconditionCurrent("UVLoop.reloadTLS")
        use(try tlsFiles.read())
    }

    /// What `reloadTLS()` reads, to be read on another thread. Then `use(_:)` does the rest.
    package var tlsFiles: TLSFiles {
        TLSFiles(configurations: attachments.values.compactMap { ($0 as? TLSContext)?.configuration })
    }

    /// Uses what was read for every later connection.
    ///
    /// - Precondition: called on the loop's thread.
    package func use(_ contents: TLSFiles.Contents) {
        preconditionCurrent("UVLoop.use(_:)")
        // The thread that made them is done with them.
        for material in unsafe contents.materials {
            (attachments[material.configuration] as? TLSContext)?.commit(material)
        }
    }

    /// One TLS context for each configuration on this loop.
    ///
    /// - Throws: why the configuration cannot be used.
    func sharedContext(
        checking configuration: TLSConfiguration, logger: Logger
    ) throws(LinkFailure) -> TLSContext {
        do throws(TLSError) {
            return try shared(configuration) { () throws(TLSError) in
                let context = try TLSContext(client: configuration)
                if let trust = context.trust { logger.info("TLS: \(trust)") }
                return context
            }
        } catch {
            throw .tls(error, during: .tls)
        }
    }
}

extension UVLoop {
    /// The proxies that links of a configuration use; nil if there are none.
    ///
    /// - Throws: why TLS with a proxy cannot be used.
    func proxyRules(
        _ setting: ProxySetting, credentials: ProxyCredentials? = nil, tls: TLSConfiguration, logger: Logger
    ) throws(LinkFailure) -> ProxyRules? {
        guard var rules = ProxyRules(setting, credentials: credentials, environment: Environment.value) else {
            return nil
        }
        if rules.needsContext { rules.context = try sharedContext(checking: tls, logger: logger) }
        return rules
    }
}

extension TLSConfiguration {
    /// Reads everything that the configuration names, as the first channel with it does, and discards it.
    ///
    /// - Returns: the trusted certificates and their sources.
    /// - Throws: `ChannelFailure` with reason `tlsHandshake`, whose description says what cannot be used; for an empty
    ///   system store it lists the places tried.
    public func check() throws(ChannelFailure) -> TrustReport {
        do throws(TLSError) {
            return try ClientMaterial(self).trust
        } catch {
            throw ChannelFailure(.tls(error, during: .tls))
        }
    }
}

extension UVLoop {
    /// Receives the loop's warnings about likely mistakes of its host, once for each kind.
    ///
    /// - A block was given to `execute(_:)` after `run()` had returned because nothing was open, or after
    ///   `detach(completion:)` took effect, or never ran before the loop was released.
    /// - When `run()` returns, or `detach(completion:)` takes effect: channels and clients ended without a delegate, or
    ///   were made and never opened. Each of them has also logged this to its own logger.
    ///
    /// Default: a logger of swift-log with the label `genesys-loop`, which writes to standard error unless the program
    /// configured another log. May be used on any thread.
    public var logger: Logger {
        get { warnings.logger }
        set { warnings.logger = newValue }
    }
}
