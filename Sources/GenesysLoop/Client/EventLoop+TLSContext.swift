extension EventLoop {
    /// One TLS context for each configuration on this loop.
    ///
    /// - Throws: why the trust of the configuration is unusable, in the terms of a channel.
    func sharedContext(checking configuration: TLSConfiguration) throws(ChannelFailure) -> TLSContext {
        do throws(TLSError) {
            return try shared(configuration) { () throws(TLSError) in try TLSContext(client: configuration) }
        } catch {
            throw ChannelFailure(tls: error, phase: .tls)
        }
    }
}
