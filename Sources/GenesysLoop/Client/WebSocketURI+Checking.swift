extension WebSocketURI {
    /// Takes a URI of the host apart.
    ///
    /// - Throws: what is wrong with it, in the terms of a channel.
    init(checking uri: String) throws(ChannelFailure) {
        do throws(InvalidURI) {
            try self.init(uri)
        } catch {
            throw ChannelFailure(reason: .invalidURI, phase: .dns, message: error.description)
        }
    }
}
