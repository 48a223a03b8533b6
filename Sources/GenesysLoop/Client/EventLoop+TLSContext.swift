extension EventLoop {
    /// One TLS context for each configuration on this loop.
    ///
    /// - Throws: why the trust of the configuration is unusable, in the terms of a channel.
    func sharedContext(checking configuration: TLSConfiguration) throws(ChannelFailure) -> TLSContext {
        if let context = attachments[configuration] as? TLSContext { return context }
        do throws(TLSError) {
            let context = try TLSContext(client: configuration)
            attachments[configuration] = context
            return context
        } catch {
            throw ChannelFailure(tls: error, phase: .tls)
        }
    }
}
